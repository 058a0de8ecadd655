import { EngineError } from "../../errors.ts";

/** A place in a Dockerfile. */
export interface Position {
  readonly line: number; // from 1
  readonly column: number; // from 1, in UTF-16 units
}

export interface Range {
  readonly start: Position;
  readonly end: Position; // the last character's place, so that a range of one line has equal lines
}

/** A Dockerfile that cannot be read or built as it is written, and where. */
export class DockerfileError extends EngineError {
  readonly range: Range | undefined;
  readonly hint: string | undefined;

  constructor(message: string, range?: Range, options: ErrorOptions & { readonly hint?: string } = {}) {
    super("invalid", message, options);
    this.range = range;
    this.hint = options.hint;
  }
}

/** Does `work`; an error that does not know its place gets this one. */
export function located<T>(range: Range, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw locate(error, range);
  }
}

/** The error with a place: its own where it has one. Errors that are not about the file pass as they are. */
export function locate(error: unknown, range: Range): unknown {
  if (!(error instanceof DockerfileError) || error.range !== undefined) return error;
  return new DockerfileError(error.message, range, {
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
