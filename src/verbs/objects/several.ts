import { AppError, throwAll } from "../../errors.ts";

/** Does something to each of several objects; all are tried, and all failures come together at the end. */
export async function toSeveral(
  names: readonly string[],
  act: (name: string) => Promise<void>,
  tell: (name: string) => void,
): Promise<void> {
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      await act(name);
      tell(name);
    } catch (error) {
      failures.push(
        error instanceof AppError
          ? error
          : new AppError("ENGINE_FAILED", `${name}: ${String(error)}`, { cause: error }),
      );
    }
  }
  throwAll(failures);
}
