import { AppError, type FailureCode, type FailureDetail } from "../errors.ts";

/** What the engine refused or failed to do, with the status of its answer. */
export class EngineFailure extends AppError {
  /** The HTTP status: 404 missing, 409 conflict, 500 the engine's own failure. */
  readonly status: number;

  constructor(status: number, code: FailureCode, message: string, detail: FailureDetail = {}) {
    super(code, message, detail);
    this.status = status;
  }
}

/** Whether the engine said that there is no such object. */
export function isMissing(error: unknown): boolean {
  return error instanceof EngineFailure && error.status === 404;
}

/** Engines say in words what has gone wrong; these are the words of ours and of Docker's that mean more than "failed". */
const MEANINGS: readonly (readonly [RegExp, FailureCode, string | undefined])[] = [
  [
    /port is already allocated|address already in use|Bind for \S+ failed/i,
    "PORT_TAKEN",
    "Publish another port, or stop what uses this one.",
  ],
  [/No such image/i, "IMAGE_MISSING", "Pull or build the image first."],
];

/** Reads an answer that is not 2xx: `{"message": …}`, or any text. */
export function failureOf(status: number, body: string): EngineFailure {
  const message = messageIn(body) || `the engine answered with status ${status}`;
  for (const [words, code, hint] of MEANINGS) {
    if (words.test(message))
      return new EngineFailure(status, code, message, hint === undefined ? {} : { hint });
  }
  return new EngineFailure(status, "ENGINE_FAILED", message);
}

/** Says why no answer came. */
export function unreachable(address: string, cause: unknown): AppError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "EACCES" || code === "EPERM") {
    return new AppError("ENGINE_UNREACHABLE", `no permission to use the engine at ${address}`, {
      hint: "Run as root or as a member of the socket's group, or without root by a daemon of your own.",
      cause,
    });
  }
  const why =
    code === "ENOENT" || code === "ECONNREFUSED" ? "nothing answers there" : (cause as Error).message;
  return new AppError("ENGINE_UNREACHABLE", `cannot reach the engine at ${address}: ${why}`, {
    hint: "Start one with `slipway daemon`, or name another with --host.",
    cause,
  });
}

export function interrupted(cause?: unknown): AppError {
  return new AppError("INTERRUPTED", "interrupted", { cause });
}

function messageIn(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    return typeof message === "string" ? message.trim() : body.trim();
  } catch {
    return body.trim();
  }
}
