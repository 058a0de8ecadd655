import { mountFlag, type Propagation } from "../native/protocol.ts";

export interface MountOptions {
  /** mount(2)'s. */
  readonly flags: number;
  /** What is the file system's own, comma-separated. */
  readonly data: string;
  readonly bind: boolean;
  readonly recursive: boolean;
  readonly propagation: Propagation | undefined;
  /** runc's `tmpcopyup`: a tmpfs begins with what the image has there. */
  readonly copyUp: boolean;
}

/** What is set on a bind mount is set on all mounts below it, as the words with an `r` ask for. */
const RECURSIVE = Object.fromEntries(
  ["ro", "nosuid", "nodev", "noexec"].map((name) => [`r${name}`, mountFlag[name as keyof typeof mountFlag]]),
);
const SET: Readonly<Record<string, number>> = { ...mountFlag, ...RECURSIVE };
const CLEAR: Readonly<Record<string, number>> = {
  rw: mountFlag.ro,
  suid: mountFlag.nosuid,
  dev: mountFlag.nodev,
  exec: mountFlag.noexec,
  atime: mountFlag.noatime,
  diratime: mountFlag.nodiratime,
  norelatime: mountFlag.relatime,
  nostrictatime: mountFlag.strictatime,
};
const PROPAGATIONS: readonly string[] = ["private", "slave", "shared", "rprivate", "rslave", "rshared"];
/** Without a meaning here. */
const IGNORED = new Set(["defaults", "async", "sync", "silent", "loud"]);

/** Every word that is understood; others are the file system's own. */
export const MOUNT_OPTIONS: readonly string[] = [
  ...["bind", "rbind", "tmpcopyup", ...Object.keys(SET), ...Object.keys(CLEAR), ...PROPAGATIONS, ...IGNORED],
].toSorted();

/** Takes apart the `options` of a mount. @see mount(8), and config.md of the OCI runtime specification */
export function mountOptions(options: readonly string[]): MountOptions {
  let flags = 0;
  const data: string[] = [];
  let [bind, recursive, copyUp] = [false, false, false];
  let propagation: Propagation | undefined;
  for (const option of options) {
    if (option === "bind" || option === "rbind") [bind, recursive] = [true, option === "rbind"];
    else if (option === "tmpcopyup") copyUp = true;
    else if (PROPAGATIONS.includes(option)) propagation = option as Propagation;
    else if (SET[option] !== undefined) flags |= SET[option];
    else if (CLEAR[option] !== undefined) flags &= ~CLEAR[option];
    else if (!IGNORED.has(option)) data.push(option);
  }
  return { flags, data: data.join(","), bind, recursive, propagation, copyUp };
}
