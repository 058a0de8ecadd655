/** A build's events as the messages that clients read: classic text for Docker's, typed fields beside it for ours. */
import { StringDecoder } from "node:string_decoder";
import { BuildFailure, CommandFailure } from "../builder/failure.ts";
import type { BuildEvent, BuildResult, StepInfo } from "../builder/types.ts";
import { messageOf } from "../errors.ts";

const SHORT = "sha256:".length + 12;

export type Write = (message: object) => void;

/** The text of Docker's classic builder, which scripts and test tools look into. */
export class ClassicStream {
  readonly #write: Write;
  readonly #told = new Set<number>();
  readonly #decoders = new Map<string, StringDecoder>();
  #instructions: Extract<BuildEvent, { kind: "plan" }>["instructions"] = [];

  constructor(write: Write) {
    this.#write = write;
  }

  event(event: BuildEvent): void {
    switch (event.kind) {
      case "plan":
        this.#instructions = event.instructions;
        return;
      case "status":
        this.#write({ status: event.text });
        return;
      case "warning": {
        const { rule, message, range } = event.warning;
        this.#stream(`[Warning] ${rule}: ${message} (line ${range.start.line})\n`);
        return;
      }
      case "log":
        this.#stream(this.#decoder(event.step, event.stream).write(Buffer.from(event.data)));
        return;
      case "step":
        this.#step(event);
    }
  }

  /** The instructions that made no layer and have no step behind them. */
  finish(imageId: string, tags: readonly string[]): void {
    for (const index of this.#instructions.keys()) this.#tell(index);
    this.#write({ aux: { ID: imageId } });
    this.#stream(`Successfully built ${imageId.slice("sha256:".length, SHORT)}\n`);
    for (const tag of tags) this.#stream(`Successfully tagged ${tag}\n`);
  }

  #step({ step, state, result }: Extract<BuildEvent, { kind: "step" }>): void {
    if (state === "start" || state === "cached") {
      const { stage } = this.#instructions[step.instruction] ?? { stage: "" };
      for (let index = 0; index <= step.instruction; index++) {
        if (this.#instructions[index]?.stage === stage) this.#tell(index);
      }
    }
    if (state === "cached") this.#stream(" ---> Using cache\n");
    if (state === "start") this.#stream(` ---> Running in ${step.id.toString(16).padStart(12, "0")}\n`);
    if (result !== undefined) this.#stream(` ---> ${result.replace("sha256:", "").slice(0, 12)}\n`);
  }

  #tell(index: number): void {
    if (this.#told.has(index)) return;
    this.#told.add(index);
    this.#stream(`Step ${index + 1}/${this.#instructions.length} : ${this.#instructions[index]!.text}\n`);
  }

  #stream(text: string): void {
    if (text !== "") this.#write({ stream: text });
  }

  #decoder(step: StepInfo, stream: string): StringDecoder {
    const key = `${step.id} ${stream}`;
    const known = this.#decoders.get(key) ?? new StringDecoder();
    this.#decoders.set(key, known);
    return known;
  }
}

/** The same as fields: what a progress display needs to show steps side by side. `stream` is a plain form of each. */
export class TypedStream {
  readonly #write: Write;
  readonly #decoders = new Map<string, StringDecoder>();

  constructor(write: Write) {
    this.#write = write;
  }

  event(event: BuildEvent): void {
    switch (event.kind) {
      case "plan":
        this.#write({ plan: { instructions: event.instructions } });
        return;
      case "status":
        this.#write({ status: event.text });
        return;
      case "warning": {
        const { rule, message, range, url } = event.warning;
        const warning = { rule, message, url, line: range.start.line, column: range.start.column };
        this.#write({ stream: `WARN: ${rule}: ${message} (line ${range.start.line})\n`, warning });
        return;
      }
      case "log": {
        const { step, stream, data } = event;
        const key = `${step.id} ${stream}`;
        const decoder = this.#decoders.get(key) ?? new StringDecoder();
        this.#decoders.set(key, decoder);
        this.#write({ stream: decoder.write(Buffer.from(data)), log: { step: step.id, stream } });
        return;
      }
      case "step": {
        const { step, state, ms, reasons, result } = event;
        const shown = {
          ...step,
          state,
          ms: Math.round(ms),
          ...(reasons && { reasons }),
          ...(result && { result }),
        };
        this.#write({ ...(state !== "done" && { stream: stepText(event) }), step: shown });
      }
    }
  }

  finish({ imageId, digest }: Pick<BuildResult, "imageId" | "digest">): void {
    this.#write({ aux: { ID: imageId, ...(digest !== undefined && { Digest: digest }) } });
  }
}

function stepText({ step, state, reasons = [] }: Extract<BuildEvent, { kind: "step" }>): string {
  const mark = state === "cached" ? "CACHED " : state === "error" ? "ERROR " : "";
  return `${mark}${step.title}\n${reasons.map((reason) => `  because: ${reason}\n`).join("")}`;
}

/** @param classic in the words of Docker's classic builder, which clients of it know */
export function failureMessage(error: unknown, classic: boolean): object {
  const details = error instanceof BuildFailure ? error.details : {};
  const command = error instanceof Error && error.cause instanceof CommandFailure ? error.cause : undefined;
  const message =
    classic && command !== undefined
      ? `The command '${command.command}' returned a non-zero code: ${command.exitCode}`
      : messageOf(error);
  return { errorDetail: { code: command?.exitCode ?? 1, message, ...details }, error: message };
}
