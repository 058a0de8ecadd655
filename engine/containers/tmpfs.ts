import { EngineError } from "../errors.ts";
import { mountFlag } from "../native/protocol.ts";

const FLAGS: Readonly<Record<string, readonly [flag: number, on: boolean]>> = {
  ro: [mountFlag.ro, true],
  rw: [mountFlag.ro, false],
  nosuid: [mountFlag.nosuid, true],
  suid: [mountFlag.nosuid, false],
  nodev: [mountFlag.nodev, true],
  dev: [mountFlag.nodev, false],
  noexec: [mountFlag.noexec, true],
  exec: [mountFlag.noexec, false],
  noatime: [mountFlag.noatime, true],
  atime: [mountFlag.noatime, false],
  nodiratime: [mountFlag.nodiratime, true],
  diratime: [mountFlag.nodiratime, false],
  relatime: [mountFlag.relatime, true],
  strictatime: [mountFlag.strictatime, true],
};
const DATA = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol", "huge", "inode64", "inode32"];

/**
 * Splits the options of a tmpfs into mount(2)'s flags and data. Docker's own come first: rw,noexec,nosuid,nodev.
 *
 * @throws {EngineError} invalid for an option that a container may not set
 */
export function tmpfsOptions(options: string): { readonly flags: number; readonly data: string } {
  let flags = mountFlag.noexec | mountFlag.nosuid | mountFlag.nodev;
  const data: string[] = [];
  for (const option of options.split(",").filter((each) => each !== "")) {
    const known = FLAGS[option];
    if (known !== undefined) flags = known[1] ? flags | known[0] : flags & ~known[0];
    else if (DATA.includes(option.split("=")[0] ?? "")) data.push(option);
    else throw new EngineError("invalid", `invalid tmpfs option ${JSON.stringify(option)}`);
  }
  return { flags, data: data.join(",") };
}
