import type { ProgressMessage } from "../client/types/common.ts";
import type { Phase, Report } from "../context.ts";
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
  readonly #again: string;
  readonly #titles = new Map<number | string, string>();
  /** What each step printed of a line that has no end yet. */
  readonly #begun = new Map<number | string, string>();
  #last: string[] = [];
  #step = "";

  /** @param again the command that builds this once more, without its program */
  constructor(id: string, report: Report, again: string) {
    this.#id = id;
    this.#report = report;
    this.#again = again;
  }

  on(message: ProgressMessage): void {
    const step = message["step"] as StepMessage | undefined;
    const log = message["log"] as { readonly step: number | string } | undefined;
    if (step) this.#onStep(step);
    if (log && message.stream !== undefined) this.#onOutput(log.step, message.stream);
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
      hint: error.hint ?? `Correct it and run \`slipway ${this.#again}\`; finished steps are cached.`,
      cause: error,
    });
  }

  #onStep({ id, title, state, ms }: StepMessage): void {
    this.#titles.set(id, title);
    const rest = this.#begun.get(id);
    if (state !== "start" && rest) this.#onOutput(id, "\n");
    if (state === "start") this.#begin(title);
    else if (state === "cached") this.#tellStep(title, "done", `${title}  CACHED`);
    else
      this.#tellStep(
        title,
        state === "done" ? "done" : "failed",
        `${title}  ${((ms ?? 0) / 1000).toFixed(1)}s`,
      );
  }

  /** Line by line; of a line that is written over and over only the last form counts. */
  #onOutput(id: number | string, text: string): void {
    const step = this.#titles.get(id) ?? "";
    const lines = `${this.#begun.get(id) ?? ""}${text}`.split("\n");
    this.#begun.set(id, lines.pop() ?? "");
    for (const line of lines) {
      const shown = line.replace(/\r$/, "").split("\r").at(-1) ?? "";
      this.#report.on({ subject: "build", id: this.#id, step, phase: "output", text: shown });
    }
  }

  #begin(title: string): void {
    this.#step = title;
    this.#last = [];
    this.#tellStep(title, "working", title);
  }

  #tellStep(step: string, phase: Phase, text: string): void {
    this.#report.on({ subject: "build", id: this.#id, step, phase, text });
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
