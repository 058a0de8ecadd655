import { EngineError } from "../errors.ts";
import { DockerfileError, type Range } from "./dockerfile/position.ts";

/** What clients are shown of a build that failed. */
export interface FailureDetails {
  readonly line?: number;
  readonly column?: number;
  readonly file?: string;
  /** The Dockerfile's lines around the place, the wrong ones marked. */
  readonly frame?: string;
  readonly step?: string;
  readonly exitCode?: number;
  /** The step's last lines of output. */
  readonly lastOutput?: readonly string[];
  readonly hint?: string;
  /** Id of an image of what the failing command left, where that was asked for. */
  readonly image?: string;
}

/** A build that failed, with the Dockerfile's place. */
export class BuildFailure extends EngineError {
  readonly details: FailureDetails;
  /** The Dockerfile's text and what of it is to blame, for clients that show the place themselves. */
  readonly source: { readonly text: string; readonly range: Range } | undefined;

  constructor(
    message: string,
    details: FailureDetails,
    source: BuildFailure["source"],
    options?: ErrorOptions,
  ) {
    super("invalid", message, options);
    this.details = details;
    this.source = source;
  }
}

/** A program that a RUN started ended with another status than 0. */
export class CommandFailure extends EngineError {
  readonly command: string;
  readonly exitCode: number;
  readonly lastOutput: readonly string[];
  /** Id of an image of what it left. */
  image: string | undefined;

  constructor(command: string, exitCode: number, lastOutput: readonly string[], oomKilled: boolean) {
    const why = oomKilled ? " (out of memory)" : "";
    super(
      "invalid",
      `process ${JSON.stringify(command)} did not complete successfully: exit code: ${exitCode}${why}`,
    );
    this.command = command;
    this.exitCode = exitCode;
    this.lastOutput = lastOutput;
  }
}

/** Adds place, frame and output to an error of a build; aborts and failures that have them pass. */
export function asFailure(
  error: unknown,
  source: string,
  file: string,
  where?: { range: Range; title: string },
): unknown {
  if (error instanceof BuildFailure || !(error instanceof EngineError)) return error;
  const own = error instanceof DockerfileError ? error : undefined;
  const range = own?.range ?? where?.range;
  const command = error instanceof CommandFailure ? error : undefined;
  const details: FailureDetails = {
    file,
    ...(range && { line: range.start.line, column: range.start.column, frame: frameOf(source, range) }),
    ...(where && { step: where.title }),
    ...(command && { exitCode: command.exitCode, lastOutput: command.lastOutput }),
    ...(command?.image !== undefined && { image: command.image }),
    ...(own?.hint !== undefined && { hint: own.hint }),
  };
  return new BuildFailure(error.message, details, range && { text: source, range }, { cause: error });
}

const AROUND = 2;

/** Two lines before and after, as BuildKit shows them. */
export function frameOf(source: string, range: Range): string {
  const lines = source.split(/\r?\n/);
  const first = Math.max(1, range.start.line - AROUND);
  const last = Math.min(lines.length, Math.max(range.end.line, range.start.line) + AROUND);
  const width = String(last).length;
  const shown: string[] = [];
  for (let number = first; number <= last; number++) {
    const mark = number >= range.start.line && number <= range.end.line ? ">>>" : "   ";
    const text = lines[number - 1] ?? "";
    if (number === lines.length && text === "" && mark === "   ") continue;
    shown.push(`${String(number).padStart(width)} | ${mark} ${text}`.trimEnd());
  }
  return shown.join("\n");
}
