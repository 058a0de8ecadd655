import { EngineError } from "../errors.ts";
import type { Monitor, Session } from "../native/monitor.ts";
import type { Container } from "./container.ts";
import { type Client, connectInput, pacedOutput } from "./streams.ts";
import { emit, type Tools } from "./tools.ts";

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** The bytes that let go, for a terminal; empty for none. */
  readonly detachKeys: Uint8Array;
}

/**
 * Connects a client to the stdio of a container's program, until that ends or the client goes. A container that does
 * not run is waited for: clients attach before they start it, so as not to miss the first line.
 *
 * @throws {EngineError} conflict if the container is paused or is being removed
 */
export async function attachContainer(
  tools: Tools,
  container: Container,
  options: AttachOptions,
  client: Client,
): Promise<void> {
  const { status } = container.record.state;
  if (status === "paused") {
    throw new EngineError(
      "conflict",
      `container ${container.id} is paused, unpause the container before attach`,
    );
  }
  const { OpenStdin = false, StdinOnce = false, Tty = false } = container.record.config;
  const stdin = options.stdin && OpenStdin;
  emit(tools, container, "attach");
  let session: Session | undefined;
  const output = pacedOutput(client.sink, () => session);
  const open = async (monitor: Monitor): Promise<void> => {
    session = await monitor.attach({ stdin, stdout: options.stdout, stderr: options.stderr }, output);
  };
  if (container.live !== undefined) await open(container.live.monitor);
  else if (!(await beforeStart(container, open, client.signal))) return;
  if (session === undefined) return;
  const ended = await connectInput(
    session,
    { ...client, input: stdin ? client.input : undefined },
    { endInput: StdinOnce, detachKeys: Tty ? options.detachKeys : NO_KEYS },
  );
  if (ended === "detached") emit(tools, container, "detach");
}

const NO_KEYS = new Uint8Array();

/** Waits for the next start. Returns whether it came; a failed start, a removal and the client's end are no start. */
async function beforeStart(
  container: Container,
  open: (monitor: Monitor) => Promise<void>,
  gone: AbortSignal,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const join = async (monitor: Monitor): Promise<void> => {
    container.pending.delete(join);
    await open(monitor);
    resolve(true);
  };
  const never = (): void => resolve(false);
  container.pending.add(join);
  const undo = [container.onExit(never), container.onRemoved(never)];
  gone.addEventListener("abort", never);
  if (gone.aborted) never();
  try {
    return await promise;
  } finally {
    container.pending.delete(join);
    gone.removeEventListener("abort", never);
    for (const each of undo) each();
  }
}
