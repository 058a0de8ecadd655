import type { ProgressMessage } from "../client/types/common.ts";
import type { Report } from "../context.ts";
import { AppError, type SourcePosition } from "../errors.ts";

const KEPT = 12;

/** Our builder's own fields beside the classic `stream`. */
interface StepMessage {
  readonly id: number | string;
  readonly title: string; // `[3/9] RUN npm ci`
  readonly state: "start" | "cached" | "done" | "error";
  readonly ms?: number;
}

/** Reads the messages of one build: tells the report of each step, keeps the last lines for when it fails. */
export class BuildProgress {
  readonly #id: string;
  readonly #report: Report;
  #last: string[] = [];
  #step = "";

  constructor(id: string, report: Report) {
    this.#id = id;
    this.#report = report;
  }

  on(message: ProgressMessage): void {
    const step = message["step"] as StepMessage | undefined;
    if (step) this.#onStep(step);
    if (message.status !== undefined) this.#tell(message.status, message);
    if (message.stream === undefined) return;
    for (const line of message.stream.split(/\r?\n/)) {
      if (line.trim() === "") continue;
      const classic = /^Step (\d+)\/(\d+) : (.*)$/.exec(line);
      if (classic) {
        this.#last = [];
        if (!step) this.#begin(`[${classic[1]}/${classic[2]}] ${classic[3]}`);
      } else if (!/^ ---> /.test(line)) {
        this.#last = [...this.#last, line].slice(-KEPT);
      }
    }
  }

  /** The failure with its place in the Dockerfile, where the engine says it, and what the step printed last. */
  failure(error: AppError, dockerfile: string | undefined): AppError {
    const detail =
      (error.cause as { errorDetail?: Readonly<Record<string, unknown>> } | undefined)?.errorDetail ?? {};
    const { line, column, file, frame, lastOutput } = detail as {
      readonly line?: number;
      readonly frame?: string;
      readonly column?: number;
      readonly file?: string;
      readonly lastOutput?: readonly string[];
    };
    const path = file?.startsWith("/") ? file : dockerfile;
    const at: SourcePosition | undefined =
      line && path ? { file: path, line, column: column ?? 1 } : undefined;
    const said = (lastOutput ?? this.#last).slice(-KEPT);
    return new AppError("BUILD_FAILED", `${this.#id}: ${error.message}`, {
      ...(at && { at }),
      // A Dockerfile that is no file of this machine: the engine shows its lines.
      ...(!at && frame && { frame: `${file ?? "Dockerfile"}:${line}\n${frame}` }),
      ...(!at && !frame && this.#step && { frame: `at ${this.#step}` }),
      said: { by: "the step", lines: said },
      hint: error.hint ?? `Correct it and run \`slipway build ${this.#id}\`; finished steps are cached.`,
      cause: error,
    });
  }

  #onStep({ title: name, state, ms }: StepMessage): void {
    if (state === "start") this.#begin(name);
    else if (state === "cached")
      this.#report.on({ subject: "build", id: this.#id, phase: "working", text: `${name}  CACHED` });
    else if (state === "done" && ms !== undefined && ms > 1000) {
      this.#report.on({
        subject: "build",
        id: this.#id,
        phase: "working",
        text: `${name}  ${(ms / 1000).toFixed(1)}s`,
      });
    }
  }

  #begin(name: string): void {
    this.#step = name;
    this.#last = [];
    this.#report.on({ subject: "build", id: this.#id, phase: "working", text: name });
  }

  #tell(text: string, { id, progressDetail }: ProgressMessage): void {
    const { current, total } = progressDetail ?? {};
    this.#report.on({
      subject: "build",
      id: this.#id,
      phase: "working",
      text: id ? `${text} ${id}` : text,
      ...(current !== undefined && total !== undefined && { current, total }),
    });
  }
}
