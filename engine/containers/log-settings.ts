import { EngineError } from "../errors.ts";
import type { Spec } from "./operations.ts";
import type { HostConfig } from "./types.ts";

/** Docker's `local` driver: 20 MB in five files, where json-file is unlimited. */
const LOCAL = { size: "20m", files: 5 };

/**
 * Where and how much a container's output is kept. Both drivers write the same lines; only their limits differ.
 *
 * @throws {EngineError} invalid for limits that cannot be read
 */
export function logSettings(hostConfig: HostConfig, path: string): Spec["log"] {
  const type = hostConfig.LogConfig?.Type || "json-file";
  if (type === "none") return undefined;
  const options = hostConfig.LogConfig?.Config ?? {};
  const size = options["max-size"] ?? (type === "local" ? LOCAL.size : "-1");
  const files = options["max-file"] ?? (type === "local" ? String(LOCAL.files) : "1");
  if (!/^\d+$/.test(files) || Number(files) < 1)
    throw new EngineError("invalid", `max-file cannot be less than 1`);
  return { path, maxSize: parseSize(size), maxFiles: Number(files) };
}

/** `10m`, `64k`, `1g`, in powers of 1000 as Docker counts them; -1 is unlimited, 0 here. */
function parseSize(text: string): number {
  if (text === "-1") return 0;
  const found = /^(\d+(?:\.\d+)?) ?([kmgt]?)b?$/i.exec(text);
  if (found === null) throw new EngineError("invalid", `invalid size: '${text}'`);
  const power = ["", "k", "m", "g", "t"].indexOf((found[2] ?? "").toLowerCase());
  return Math.floor(Number(found[1]) * 1000 ** power);
}
