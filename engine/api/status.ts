import { EngineError, type ErrorKind } from "../errors.ts";

const STATUS: Record<ErrorKind, number> = {
  notModified: 304,
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  system: 500,
  notImplemented: 501,
  unavailable: 503,
};

/** The HTTP status of a failed request: the only such table in the engine. */
export function statusOf(error: unknown): number {
  return error instanceof EngineError ? STATUS[error.kind] : 500;
}
