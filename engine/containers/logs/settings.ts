/** Where and how a container's output is kept: `--log-driver` and `--log-opt`. */
import { join } from "node:path";
import { EngineError } from "../../errors.ts";
import type { Paths } from "../../store/paths.ts";
import type { ContainerConfig, ContainerRecord, HostConfig } from "../types.ts";
import { logTag } from "./tag.ts";

export interface LogSettings {
  readonly driver: "json-file" | "local";
  /** Bytes at which a file is full; 0: never. */
  readonly maxSize: number;
  /** With the one that is written. */
  readonly maxFiles: number;
  /** Full files are compressed. They have numbers then, the highest the newest, and not Docker's `.1` for the newest. */
  readonly compress: boolean;
}

type Options = Readonly<Record<string, string>>;

/** Of every driver: whether a program waits for its log. Here it never waits for more than the disk. */
const COMMON = ["mode", "max-buffer-size"];
const KNOWN: Readonly<Record<LogSettings["driver"], readonly string[]>> = {
  "json-file": ["max-size", "max-file", "compress", "labels", "labels-regex", "env", "env-regex", "tag"],
  local: ["max-size", "max-file", "compress"],
};

/**
 * @returns undefined for `none`
 * @throws {EngineError} invalid, in Docker's words, for a driver or an option that there is not
 * @see moby, daemon/logger/jsonfilelog and daemon/logger/local
 */
export function logSettings({ LogConfig }: HostConfig): LogSettings | undefined {
  const driver = LogConfig?.Type || "json-file";
  const options = LogConfig?.Config ?? {};
  if (driver === "none") return undefined;
  if (driver !== "json-file" && driver !== "local") {
    const reason = `error looking up logging plugin ${driver}: plugin ${JSON.stringify(driver)} not found`;
    throw new EngineError("invalid", reason);
  }
  checkKnown(driver, options);
  const local = driver === "local";
  const maxFiles = wholeNumber(options["max-file"] ?? (local ? "5" : "1"));
  if (maxFiles < 1) throw new EngineError("invalid", "max-file cannot be less than 1");
  const maxSize = size(options["max-size"] ?? (local ? "20m" : "-1"));
  const compress = options["compress"] === undefined ? local && maxFiles > 1 : bool(options["compress"]);
  if (compress && (maxFiles < 2 || maxSize === 0)) {
    const reason = "compress cannot be true when max-file is less than 2 or max-size is not set";
    throw new EngineError("invalid", reason);
  }
  return { driver, maxSize, maxFiles, compress };
}

/** The file that is written now. */
export function logPath(paths: Pick<Paths, "container">, { id, hostConfig }: ContainerRecord): string {
  const directory = paths.container(id);
  return hostConfig.LogConfig?.Type === "local"
    ? join(directory, "local-logs", "container.log")
    : join(directory, `${id}-json.log`);
}

/** What each line of json-file says besides its text: chosen labels and variables, and the tag. */
export function logAttributes(record: ContainerRecord): Readonly<Record<string, string>> {
  const { config, hostConfig } = record;
  const options = hostConfig.LogConfig?.Config ?? {};
  const tag = options["tag"] ?? "";
  return {
    ...chosen(Object.entries(config.Labels ?? {}), options["labels"], options["labels-regex"]),
    ...chosen(variables(config), options["env"], options["env-regex"]),
    ...(tag === "" ? {} : { tag: logTag(tag, record) }),
  };
}

function checkKnown(driver: LogSettings["driver"], options: Options): void {
  for (const name of Object.keys(options)) {
    if (COMMON.includes(name) || KNOWN[driver].includes(name)) continue;
    const what = driver === "local" ? "log driver local" : "json-file log driver";
    throw new EngineError("invalid", `unknown log opt '${name}' for ${what}`);
  }
  const mode = options["mode"] ?? "";
  if (!["", "blocking", "non-blocking"].includes(mode)) {
    throw new EngineError("invalid", `logger: logging mode not supported: ${mode}`);
  }
  if (options["max-buffer-size"] === undefined) return;
  if (mode !== "non-blocking") {
    throw new EngineError(
      "invalid",
      "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
    );
  }
  size(options["max-buffer-size"]);
}

function variables(config: ContainerConfig): readonly (readonly [string, string])[] {
  return (config.Env ?? []).flatMap((pair) => {
    const at = pair.indexOf("=");
    return at < 0 ? [] : [[pair.slice(0, at), pair.slice(at + 1)] as const];
  });
}

function chosen(
  all: readonly (readonly [string, string])[],
  names: string | undefined,
  pattern: string | undefined,
): Readonly<Record<string, string>> {
  const wanted = new Set((names ?? "").split(",").filter((name) => name !== ""));
  const fits = pattern ? new RegExp(pattern) : undefined;
  return Object.fromEntries(all.filter(([name]) => wanted.has(name) || fits?.test(name)));
}

function wholeNumber(text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new EngineError("invalid", `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function bool(text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new EngineError("invalid", `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** `10m`, `64k`, `1g`, in powers of 1000 as Docker counts them; -1 is unlimited, 0 here. */
function size(text: string): number {
  if (text === "-1") return 0;
  const found = /^(\d+(?:\.\d+)?) ?([kmgt]?)i?b?$/i.exec(text);
  if (found === null) throw new EngineError("invalid", `invalid size: '${text}'`);
  const power = ["", "k", "m", "g", "t"].indexOf((found[2] ?? "").toLowerCase());
  const bytes = Math.floor(Number(found[1]) * 1000 ** power);
  if (bytes > 0) return bytes;
  throw new EngineError("invalid", "max-size must be a positive number");
}
