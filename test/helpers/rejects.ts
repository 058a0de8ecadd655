import * as assert from "uvu/assert";
import { AppError, type FailureCode } from "../../src/errors.ts";

/** uvu's `throws` does not wait for promises; this does. Returns the error, for more checks. */
export async function rejects(work: Promise<unknown>, code: FailureCode): Promise<AppError> {
  const error = await reasonOf(work);
  assert.instance(error, AppError);
  assert.is((error as AppError).code, code);
  return error as AppError;
}

function reasonOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}
