import * as assert from "uvu/assert";
import { EngineError, type ErrorKind } from "../../engine/errors.ts";
import { AppError, type FailureCode } from "../../src/errors.ts";

/** uvu's `throws` does not wait for promises; this does. Returns the error, for more checks. */
export async function rejects(work: Promise<unknown>, code: FailureCode): Promise<AppError> {
  const error = await reasonOf(work);
  assert.instance(error, AppError);
  assert.is((error as AppError).code, code);
  return error as AppError;
}

/** The same for the engine's errors. */
export async function rejectsWith(work: Promise<unknown>, kind: ErrorKind): Promise<EngineError> {
  const error = await reasonOf(work);
  assert.instance(error, EngineError);
  assert.is((error as EngineError).kind, kind);
  return error as EngineError;
}

function reasonOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}
