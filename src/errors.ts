/**
 * Every failure a user can meet: a stable code for programs, and the exit status it ends with.
 * 1 the work failed · 14 a file is missing · 15 a file or target is refused, nothing was touched · 16 usage · 17 build ·
 * 18 pull · 124 a wait ran out of time · 130 interrupted.
 */
export const FAILURES = {
  // Reading the project: nothing was touched.
  COMPOSE_FILE_MISSING: 14,
  COMPOSE_READ: 14,
  COMPOSE_SYNTAX: 15,
  COMPOSE_SCHEMA: 15,
  COMPOSE_UNKNOWN_KEY: 15,
  COMPOSE_MISSING_KEY: 15,
  COMPOSE_TYPE: 15,
  COMPOSE_UNDEFINED: 15,
  COMPOSE_CONFLICT: 15,
  COMPOSE_VARIABLE: 15,
  COMPOSE_INTERPOLATION: 15,
  COMPOSE_DURATION: 15,
  COMPOSE_BYTES: 15,
  COMPOSE_VALUE: 15,
  COMPOSE_INCLUDE: 15,
  COMPOSE_EXTENDS: 15,
  COMPOSE_REMOTE: 14,
  COMPOSE_PROFILE: 15,
  PROJECT_NAME: 15,
  ENV_FILE_MISSING: 14,
  ENV_FILE_SYNTAX: 15,
  DEPENDENCY_CYCLE: 15,
  SERVICE_UNKNOWN: 15,
  SCALE_REFUSED: 15,
  BUILD_CONTEXT_MISSING: 14,
  DOCKERFILE_MISSING: 14,
  SOURCE_MISSING: 14,
  EXTERNAL_MISSING: 15,
  // The command line.
  USAGE: 16,
  COMMAND_UNKNOWN: 16,
  // The work: some of it may have been done.
  BUILD_FAILED: 17,
  IMAGE_PULL: 18,
  IMAGE_MISSING: 18,
  ENGINE_UNREACHABLE: 1,
  ENGINE_FAILED: 1,
  ENGINE_TOO_OLD: 1,
  PORT_TAKEN: 1,
  SERVICE_UNHEALTHY: 1,
  SERVICE_EXITED: 1,
  SERVICE_NOT_RUNNING: 1,
  PROGRAM_REFUSED: 126,
  PROGRAM_MISSING: 127,
  CONTAINER_FAILED: 1,
  HOOK_FAILED: 1,
  PROVIDER_FAILED: 1,
  WATCH_FAILED: 1,
  WAIT_TIMEOUT: 124,
  INTERRUPTED: 130,
  INTERNAL: 1,
} as const;

export type FailureCode = keyof typeof FAILURES;

export interface SourcePosition {
  readonly file: string;
  readonly line: number; // from 1
  readonly column: number; // from 1
}

export interface Said {
  readonly by: string; // `web`, `RUN npm ci`
  readonly lines: readonly string[]; // its last ones
}

export interface FailureDetail {
  readonly at?: SourcePosition;
  readonly hint?: string; // one sentence: what to do now
  readonly frame?: string; // what to show below the sentence, where the source's own lines are not it
  readonly said?: Said; // what a program printed before it failed
  readonly cause?: unknown;
}

export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: FailureCode;
  readonly at: SourcePosition | undefined;
  readonly hint: string | undefined;
  readonly frame: string | undefined;
  readonly said: Said | undefined;

  constructor(code: FailureCode, message: string, detail: FailureDetail = {}) {
    super(message, { cause: detail.cause });
    this.code = code;
    this.at = detail.at;
    this.hint = detail.hint;
    this.frame = detail.frame;
    this.said = detail.said;
  }
}

/** Several failures of one cause, such as all mistakes of one file: all are printed, the first gives the exit status. */
export class AppErrors extends Error {
  override readonly name = "AppErrors";
  readonly errors: readonly AppError[];

  /** @param errors at least one */
  constructor(errors: readonly AppError[]) {
    super(errors.map((error) => error.message).join("\n"));
    this.errors = errors;
  }
}

/**
 * Throws what has been collected, if anything: one as it is, several together. What nobody expected must not hide
 * behind failures that have a code.
 */
export function throwAll(failures: readonly unknown[]): void {
  if (failures.length === 0) return;
  const unexpected = failures.find(
    (failure) => !(failure instanceof AppError || failure instanceof AppErrors),
  );
  if (unexpected !== undefined) throw unexpected;
  if (failures.length === 1) throw failures[0];
  throw new AppErrors(
    (failures as (AppError | AppErrors)[]).flatMap((failure) =>
      failure instanceof AppErrors ? failure.errors : failure,
    ),
  );
}
