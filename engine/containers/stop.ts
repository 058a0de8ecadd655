import { EngineError } from "../errors.ts";
import { checkpoint } from "./checkpoint.ts";
import type { Container } from "./container.ts";
import { STOP_TIMEOUT } from "./defaults.ts";
import { byUser, endNow, send, within } from "./kill.ts";
import { thaw } from "./pause.ts";
import { signalNumber } from "./signals.ts";
import { startContainer } from "./start.ts";
import { emit, type Tools } from "./tools.ts";

export interface StopOptions {
  /** Seconds before SIGKILL; -1 waits for ever. Default: the container's, then Docker's 10. */
  readonly timeout?: number | undefined;
  /** Default: the container's, then SIGTERM. */
  readonly signal?: string | undefined;
}

/** @throws {EngineError} notModified if it does not run, invalid for an unknown signal */
export async function stopContainer(tools: Tools, container: Container, options: StopOptions): Promise<void> {
  if (!container.isRunning) throw new EngineError("notModified", `container ${container.id} is not running`);
  await stop(tools, container, options);
  emit(tools, container, "stop");
}

/** Stops it if it runs, and starts it. */
export async function restartContainer(
  tools: Tools,
  container: Container,
  options: StopOptions,
): Promise<void> {
  if (container.isRunning) {
    // --rm removes a container that ends, not one that begins again.
    await stop(tools, container, options, { keep: true });
    emit(tools, container, "stop");
  }
  await startContainer(tools, container);
  emit(tools, container, "restart");
}

async function stop(
  tools: Tools,
  container: Container,
  options: StopOptions,
  how: { readonly keep: boolean } = { keep: false },
): Promise<void> {
  const { config, hostConfig } = container.record;
  const name = options.signal || config.StopSignal || "SIGTERM";
  const signal = signalNumber(name);
  const timeout = options.timeout ?? config.StopTimeout ?? STOP_TIMEOUT;
  if (how.keep && hostConfig.AutoRemove) {
    await tools.registry.change(container, { hostConfig: { ...hostConfig, AutoRemove: false } });
  }
  await byUser(tools, container);
  checkpoint("stop: marked");
  const { live } = container;
  if (live !== undefined) {
    const paused = container.record.state.status === "paused";
    await send(tools, container, signal);
    if (paused) await thaw(tools, container);
    const inTime = timeout < 0 ? await live.ended.then(() => true) : await within(live.ended, timeout * 1000);
    if (!inTime) await endNow(tools, container, live);
  }
  if (how.keep && hostConfig.AutoRemove && tools.registry.has(container.id)) {
    await tools.registry.change(container, { hostConfig });
  }
}
