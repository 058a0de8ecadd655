import { EngineError } from "../errors.ts";
import type { Container, Ending } from "./container.ts";

export type WaitCondition = "not-running" | "next-exit" | "removed";

/** @throws {EngineError} invalid for any other word; nothing is the first */
export function waitCondition(text: string): WaitCondition {
  if (text === "") return "not-running";
  if (text === "not-running" || text === "next-exit" || text === "removed") return text;
  throw new EngineError("invalid", `invalid condition: ${JSON.stringify(text)}`);
}

/** Waits until the condition holds. Gives the exit code of the run that made it so; undefined if the signal came first. */
export async function waitContainer(
  container: Container,
  condition: WaitCondition,
  signal: AbortSignal,
): Promise<Ending | undefined> {
  const last = (): Ending => ({ exitCode: container.record.state.exitCode, error: "" });
  if (condition === "not-running" && !container.isRunning) return last();
  const { promise, resolve } = Promise.withResolvers<Ending | undefined>();
  const undo =
    condition === "removed"
      ? [container.onRemoved(() => resolve(last()))]
      : // Who waits for an exit learns of the removal of a container that never ran again.
        [container.onExit(resolve), container.onRemoved(() => resolve(last()))];
  const gone = (): void => resolve(undefined);
  signal.addEventListener("abort", gone);
  if (signal.aborted) gone();
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", gone);
    for (const each of undo) each();
  }
}
