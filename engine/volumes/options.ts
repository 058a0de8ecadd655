import { isAbsolute, normalize } from "node:path";
import { EngineError } from "../errors.ts";

/** Docker's rule for the names of local volumes; it also makes a name safe as one component of a path. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** @throws {EngineError} invalid, in Docker's words */
export function checkName(name: string): void {
  if (name.length === 1) {
    throw new EngineError(
      "invalid",
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  }
  if (!NAME.test(name) || name.length > 255) {
    throw new EngineError(
      "invalid",
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
}

/**
 * The directory that a volume with driver options stands for, or undefined for one of our own making.
 *
 * @throws {EngineError} invalid for unknown options; notImplemented for what would need a mount of its own
 */
export function boundDirectory(
  options: Readonly<Record<string, string>> | null | undefined,
): string | undefined {
  if (options === null || options === undefined || Object.keys(options).length === 0) return undefined;
  for (const name of Object.keys(options)) {
    if (!["type", "o", "device", "size"].includes(name)) {
      throw new EngineError("invalid", `create volume: invalid option: "${name}"`);
    }
  }
  const flags = (options["o"] ?? "").split(",");
  const { device = "", type = "none" } = options;
  if (!flags.includes("bind") && !flags.includes("rbind")) {
    throw new EngineError(
      "notImplemented",
      `create volume: type "${type}" is not supported; only "o: bind" is`,
    );
  }
  if (!isAbsolute(device))
    throw new EngineError("invalid", `create volume: device "${device}" is not an absolute path`);
  return normalize(device);
}
