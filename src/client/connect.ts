import { connect as connectTo, type Socket } from "node:net";
import { defaultPlaces, findAddress } from "./address.ts";
import { buildCalls } from "./calls/builds.ts";
import { containerCalls } from "./calls/containers.ts";
import { fileCalls } from "./calls/files.ts";
import { imageCalls } from "./calls/images.ts";
import { manifestCalls } from "./calls/manifests.ts";
import { networkCalls, volumeCalls } from "./calls/networks.ts";
import { execCalls, streamCalls } from "./calls/streams.ts";
import { systemCalls } from "./calls/system.ts";
import type { EngineClient } from "./client.ts";
import type { Endpoint } from "./http.ts";
import { Transport } from "./transport.ts";

export interface ConnectOptions {
  /** `--host`. */
  readonly host?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called when an engine has to be started first. */
  readonly onStart?: (logFile: string) => void;
}

/**
 * Finds the engine. The default one is started where it does not answer; one that was named is only spoken to.
 *
 * @throws {AppError} USAGE for an address that cannot be read; ENGINE_UNREACHABLE if the default cannot be started
 */
export async function connect({ host, env, onStart }: ConnectOptions): Promise<EngineClient> {
  const uid = process.getuid?.() ?? 0;
  const address = findAddress(host, uid, env);
  if (!address.isDefault) return clientOf(address.text, address.endpoint);
  const places = defaultPlaces(uid, env);
  const socket = await reach(places.socket);
  if (socket === undefined) {
    const { startDaemon } = await import("./start.ts");
    await startDaemon(places, onStart);
  }
  return clientOf(address.text, address.endpoint, socket);
}

/** A connection to a socket file; undefined where nothing answers. Other failures are the first request's to tell. */
function reach(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connectTo(path);
    socket.once("connect", () => resolve(socket.removeAllListeners("error")));
    socket.once("error", () => resolve(undefined));
  });
}

/**
 * A client of the engine at that place. Nothing is sent yet.
 *
 * @param socket a connection to it that there is already
 */
export function clientOf(address: string, endpoint: Endpoint, socket?: Socket): EngineClient {
  const transport = new Transport(address, endpoint, socket);
  return {
    address,
    close: () => transport.close(),
    ...systemCalls(transport),
    ...containerCalls(transport),
    ...streamCalls(transport),
    ...execCalls(transport),
    ...fileCalls(transport),
    ...imageCalls(transport),
    ...manifestCalls(transport),
    ...buildCalls(transport),
    ...networkCalls(transport),
    ...volumeCalls(transport),
  };
}
