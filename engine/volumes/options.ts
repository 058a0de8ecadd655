import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isAbsolute, normalize } from "node:path";
import { EngineError, messageOf } from "../errors.ts";
import type { VolumeRecord } from "./types.ts";

/** Docker's rule for the names of local volumes; it also makes a name safe as one component of a path. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Bytes of a name: its record's file has it with a suffix, and a file system takes 255. */
const LONGEST = 200;

/** @throws {EngineError} invalid, in Docker's words */
export function checkName(name: string): void {
  const refuse = (why: string): never => {
    throw new EngineError("invalid", `create ${name}: ${why}`);
  };
  if (name.length === 1)
    refuse("volume name is too short, names should be at least two alphanumeric characters");
  if (!NAME.test(name)) {
    refuse(
      `"${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
  if (name.length > LONGEST) refuse(`volume name is too long, ${LONGEST} characters are allowed`);
}

type Options = VolumeRecord["Options"];

/**
 * Checks the options of Docker's local driver: `type`, `device` and `o` as mount(8) has them.
 *
 * @throws {EngineError} invalid, in Docker's words
 */
export function checkOptions(name: string, options: Options): void {
  if (options === null || Object.keys(options).length === 0) return;
  const refuse = (why: string): never => {
    throw new EngineError("invalid", `create ${name}: ${why}`);
  };
  for (const key of Object.keys(options)) {
    if (!["type", "o", "device", "size"].includes(key)) refuse(`invalid option: "${key}"`);
  }
  const { type = "", o = "", device = "", size = "" } = options;
  if (size !== "") refuse("quota size requested but no quota support");
  if (type === "" && o === "" && device === "") return;
  if (device === "") refuse(`missing required option: "device"`);
  if (type === "" && !isBind(options)) refuse("missing type in volume options");
  if (isBind(options) && !isAbsolute(device))
    refuse(`the device of a bind is not an absolute path: ${device}`);
}

/** The directory of the machine's that a volume stands for; undefined for the other kinds. */
export function boundDirectory(options: Options): string | undefined {
  return options !== null && isBind(options) ? normalize(options["device"] ?? "") : undefined;
}

function isBind({ o = "" }: Readonly<Record<string, string>>): boolean {
  return o.split(",").some((flag) => flag === "bind" || flag === "rbind");
}

/** Whether a volume is a file system of its own, mounted while containers use it. */
export function isFileSystem(options: Options): boolean {
  const type = options?.["type"] ?? "";
  return options !== null && type !== "" && type !== "none" && !isBind(options);
}

/** What mount(2) takes. */
export interface VolumeMount {
  readonly type: string;
  readonly source: string;
  readonly flags: number;
  readonly data: string;
}

/** MS_* by the names of mount(8); 0 is the kernel's usual. */
const FLAGS: Readonly<Record<string, number>> = {
  ...{ defaults: 0, rw: 0, suid: 0, dev: 0, exec: 0, async: 0, atime: 0, diratime: 0 },
  ...{ ro: 1, nosuid: 2, nodev: 4, noexec: 8, sync: 16, dirsync: 128, noatime: 1024, nodiratime: 2048 },
  ...{ relatime: 1 << 21, strictatime: 1 << 24 },
};

/**
 * The file system that a volume is, if it is one of its own.
 *
 * @throws {EngineError} invalid, if the server that it names is not known
 */
export async function volumeMount(options: Options): Promise<VolumeMount | undefined> {
  const { type = "", o = "", device = "" } = options ?? {};
  if (!isFileSystem(options)) return undefined;
  const words = o.split(",").filter((word) => word !== "");
  const data = words.filter((word) => FLAGS[word] === undefined);
  return {
    type,
    source: device,
    flags: words.reduce((flags, word) => flags | (FLAGS[word] ?? 0), 0),
    data: (
      await Promise.all(data.map((word) => (/^(nfs|cifs)/.test(type) ? resolveServer(word) : word)))
    ).join(","),
  };
}

/** The kernel takes addresses alone, and mount(8), which looks names up, is not there to help. */
async function resolveServer(word: string): Promise<string> {
  const host = /^addr=(.+)$/.exec(word)?.[1];
  if (host === undefined || isIP(host) !== 0) return word;
  try {
    return `addr=${(await lookup(host)).address}`;
  } catch (cause) {
    throw new EngineError(
      "invalid",
      `error resolving passed in network volume address: ${messageOf(cause)}`,
      { cause },
    );
  }
}
