import { EngineError } from "../errors.ts";
import { checkpoint } from "./checkpoint.ts";
import type { Container, Live } from "./container.ts";
import { thaw } from "./pause.ts";
import { cancelRestart } from "./restart.ts";
import { signalNumber } from "./signals.ts";
import { emit, type Tools } from "./tools.ts";

export const SIGKILL = 9;

/**
 * Sends a signal.
 *
 * @throws {EngineError} conflict if it does not run, invalid for an unknown signal
 */
export async function killContainer(tools: Tools, container: Container, name: string): Promise<void> {
  const signal = signalNumber(name || "SIGKILL");
  if (!container.isRunning) {
    throw new EngineError("conflict", `container ${container.id} is not running`);
  }
  const { StopSignal = "SIGTERM" } = container.record.config;
  // Only what is meant to end it keeps its restart policy from bringing it back.
  if (signal === SIGKILL || signal === signalNumber(StopSignal || "SIGTERM")) await byUser(tools, container);
  const { live } = container;
  if (live === undefined) return;
  if (signal !== SIGKILL) return send(tools, container, signal);
  // Docker's kill answers when the container is gone, or after ten seconds of waiting for it.
  await within(endNow(tools, container, live), 10_000);
}

/** Ends the program and waits for its end to be recorded. */
export async function killAndWait(tools: Tools, container: Container): Promise<void> {
  await byUser(tools, container);
  const { live } = container;
  if (live === undefined) return;
  await endNow(tools, container, live);
}

/** Kills the program and waits for its end to be recorded, also when somebody pauses it meanwhile. */
export async function endNow(tools: Tools, container: Container, live: Live): Promise<void> {
  await send(tools, container, SIGKILL);
  for (let ended = false; !ended; ) {
    // What is frozen dies when it is thawed. A cgroup that is gone needs neither.
    if (container.record.state.status === "paused") await thaw(tools, container).catch(() => {});
    ended = await within(live.ended, 500);
  }
}

/** Marks that a person wants it ended, which ends a restart that is waited for: that counts as running, too. */
export async function byUser(tools: Tools, container: Container): Promise<void> {
  tools.registry.setState(container, { stoppedByUser: true });
  if (container.live === undefined) {
    // Its end, or its next start, may be in the midst of its work.
    await tools.serial.run(container.id, async () => {
      cancelRestart(container);
      const waits = container.live === undefined && container.record.state.status === "restarting";
      if (waits) tools.registry.setState(container, { status: "exited" });
    });
  }
  await tools.registry.changeState(container, { stoppedByUser: true });
}

export async function send(tools: Tools, container: Container, signal: number): Promise<void> {
  try {
    await container.live?.monitor.signal(signal);
    checkpoint("stop: signal sent");
    emit(tools, container, "kill", { signal: String(signal) });
  } catch (error) {
    // It ended by itself in this moment; who waits for the end will see it.
    if ((error as { readonly code?: string }).code !== "ESRCH") throw error;
  }
}

/** Whether the promise is kept in time. */
export async function within(work: Promise<void>, milliseconds: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), milliseconds);
  void work.then(() => resolve(true));
  return promise.finally(() => clearTimeout(timer));
}
