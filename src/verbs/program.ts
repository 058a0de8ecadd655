import { AppError } from "../errors.ts";
import { engineWords } from "../reconcile/words.ts";

/** A program that could not be executed ends with the status a shell would give: 127 not there, 126 not executable. */
export function programFailure(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  const { kind, message } = engineWords(error.message);
  if (kind === undefined) return error;
  return new AppError(kind === "missing" ? "PROGRAM_MISSING" : "PROGRAM_REFUSED", message, {
    ...(error.at && { at: error.at }),
    ...(error.hint && { hint: error.hint }),
    cause: error,
  });
}
