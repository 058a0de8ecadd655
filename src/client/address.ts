import { join } from "node:path";
import { AppError } from "../errors.ts";
import type { Endpoint } from "./http.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Address {
  /** As a person writes it. */
  readonly text: string;
  readonly endpoint: Endpoint;
  /** Nobody named it: where nothing answers, an engine is started there. */
  readonly isDefault: boolean;
}

/** Where the default engine lives; the daemon has the same rule in engine/options.ts, and a test holds them equal. */
export function defaultPlaces(
  uid: number,
  env: Environment,
): { readonly dataRoot: string; readonly execRoot: string; readonly socket: string; readonly log: string } {
  const home = env["HOME"] ?? "/";
  const dataRoot =
    uid === 0 ? "/var/lib/slipway" : join(env["XDG_DATA_HOME"] || join(home, ".local/share"), "slipway");
  const execRoot =
    uid === 0 ? "/run/slipway" : join(env["XDG_RUNTIME_DIR"] || `/tmp/slipway-${uid}`, "slipway");
  return { dataRoot, execRoot, socket: join(execRoot, "slipway.sock"), log: join(dataRoot, "daemon.log") };
}

/**
 * Which engine to speak to: `--host`, else SLIPWAY_HOST, else DOCKER_HOST, else the default.
 *
 * @throws {AppError} USAGE, if it is none of `unix:///…`, `tcp://host:port`
 */
export function findAddress(host: string | undefined, uid: number, env: Environment): Address {
  const text = host || env["SLIPWAY_HOST"] || env["DOCKER_HOST"];
  if (text) return { text, endpoint: parse(text), isDefault: false };
  const { socket } = defaultPlaces(uid, env);
  return { text: `unix://${socket}`, endpoint: { socketPath: socket }, isDefault: true };
}

function parse(text: string): Endpoint {
  if (text.startsWith("unix://")) return { socketPath: text.slice("unix://".length) };
  if (text.startsWith("/")) return { socketPath: text };
  const tcp = /^(?:tcp|http):\/\/(\[[^\]]+\]|[^/:]+)(?::(\d+))?\/?$/.exec(text);
  if (tcp !== null) return { host: (tcp[1] ?? "").replace(/^\[|\]$/g, ""), port: Number(tcp[2] ?? 2375) };
  throw new AppError("USAGE", `${text} is no address of an engine`, {
    hint: "Write unix:///path/to/socket or tcp://host:port.",
  });
}
