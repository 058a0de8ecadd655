import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { EngineError } from "./errors.ts";
import type { RegistryOptions } from "./images/registry/settings.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";

/** How a daemon is to run. Paths are absolute. */
export interface DaemonOptions {
  readonly socket: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  /** Beneath every cgroup hierarchy's own root, without a slash at either end. */
  readonly cgroupParent: string;
  readonly logLevel: LogLevel;
  /** Absent: stderr. */
  readonly logFile: string | undefined;
  readonly registries: RegistryOptions;
}

export const USAGE = `usage: slipway daemon [OPTIONS]

  --host unix://PATH     where to listen                          (root: /run/slipway/slipway.sock)
  --data-root DIR        images, containers, volumes              (root: /var/lib/slipway)
  --exec-root DIR        run files, which a reboot may take       (root: /run/slipway)
  --cgroup-parent NAME   the cgroup that holds the containers'    (slipway)
  --log-level LEVEL      debug, info, warn or error               (info)
  --log-file FILE        instead of stderr
  --registry-mirror URL  ask it before Docker Hub; may be repeated
  --insecure-registry HOST[:PORT]|CIDR
                         do without TLS or its certificates there; may be repeated
  --registry-config FILE {"mirrors": {HOST: [URL]}, "insecure": [HOST], "certificates": [DIR],
                          "sources": {NAME: "bootstrap[:SUITE]|oci-layout:/PATH|archive:/PATH|dir:/PATH"}}
                         (/etc/slipway/registries.json)
  --version              print the version and leave
`;

/** Where a daemon of this user lives by default. */
export function defaultPlaces(
  uid: number,
  env: Readonly<Record<string, string | undefined>>,
): { readonly dataRoot: string; readonly execRoot: string } {
  if (uid === 0) return { dataRoot: "/var/lib/slipway", execRoot: "/run/slipway" };
  const home = env["HOME"] ?? "/";
  return {
    dataRoot: join(env["XDG_DATA_HOME"] || join(home, ".local/share"), "slipway"),
    execRoot: join(env["XDG_RUNTIME_DIR"] || `/tmp/slipway-${uid}`, "slipway"),
  };
}

/**
 * Reads the command line of `slipway daemon`.
 *
 * @throws {EngineError} invalid, for an unknown option or a value that cannot be used
 */
export function parseOptions(
  args: readonly string[],
  uid: number,
  env: Readonly<Record<string, string | undefined>>,
): DaemonOptions | "help" | "version" {
  const values = readFlags(args);
  if (values.help) return "help";
  if (values.version) return "version";
  const places = defaultPlaces(uid, env);
  const execRoot = resolve(values["exec-root"] ?? places.execRoot);
  const logLevel = LOG_LEVELS.find((level) => level === (values["log-level"] ?? "info"));
  if (logLevel === undefined) {
    throw new EngineError(
      "invalid",
      `--log-level: ${values["log-level"]} is none of ${LOG_LEVELS.join(", ")}`,
    );
  }
  const cgroupParent = (values["cgroup-parent"] ?? "slipway").replace(/^\/+|\/+$/g, "");
  if (cgroupParent === "" || cgroupParent.split("/").includes("..")) {
    throw new EngineError("invalid", `--cgroup-parent: ${values["cgroup-parent"]} is no name of a cgroup`);
  }
  return {
    socket: values.host === undefined ? join(execRoot, "slipway.sock") : socketOf(values.host),
    dataRoot: resolve(values["data-root"] ?? places.dataRoot),
    execRoot,
    cgroupParent,
    logLevel,
    logFile: values["log-file"] === undefined ? undefined : resolve(values["log-file"]),
    registries: {
      file: values["registry-config"] === undefined ? undefined : resolve(values["registry-config"]),
      mirrors: values["registry-mirror"] ?? [],
      insecure: values["insecure-registry"] ?? [],
    },
  };
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        host: { type: "string", short: "H" },
        "data-root": { type: "string" },
        "exec-root": { type: "string" },
        "cgroup-parent": { type: "string" },
        "log-level": { type: "string" },
        "log-file": { type: "string" },
        "registry-mirror": { type: "string", multiple: true },
        "insecure-registry": { type: "string", multiple: true },
        "registry-config": { type: "string" },
        version: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (cause) {
    throw new EngineError("invalid", (cause as Error).message, { cause });
  }
}

function socketOf(host: string): string {
  const path = host.startsWith("unix://") ? host.slice("unix://".length) : host;
  // sun_path of unix(7) has 108 bytes, with the zero at the end.
  if (!path.startsWith("/") || Buffer.byteLength(path) > 107) {
    throw new EngineError(
      "invalid",
      `--host: ${host} is no unix:// address of an absolute path below 108 bytes`,
    );
  }
  return path;
}
