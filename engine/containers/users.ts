import { EngineError } from "../errors.ts";

/** Who a program runs as. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; the primary one is among them (CVE-2022-36109). */
  readonly groups: readonly number[];
  /** From the user data base; `/` for a user that is not in it. */
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * Finds out who `--user` means, by the container's own files.
 *
 * What consists of digits is a number, never a name, also when an entry has that name (CVE-2026-46680).
 *
 * @param user `user`, `user:group` or nothing (root); each a name or a number
 * @param passwd the bytes of /etc/passwd in the container, empty if it has none
 * @param group the bytes of /etc/group
 * @param add further groups, names or numbers
 * @throws {EngineError} invalid, in Docker's words, for a name that is in neither file or a number past 2147483647
 */
export function resolveUser(
  user: string,
  passwd: Uint8Array,
  group: Uint8Array,
  add: readonly string[] = [],
): ResolvedUser {
  const colon = user.indexOf(":");
  const userPart = colon < 0 ? user : user.slice(0, colon);
  const groupPart = colon < 0 ? "" : user.slice(colon + 1);
  const entries = parsePasswd(passwd);
  const groups = parseGroup(group);
  const number = asNumber(userPart === "" ? "0" : userPart);
  const entry = entries.find((each) => (number === undefined ? each.name === userPart : each.uid === number));
  if (number === undefined && entry === undefined) {
    throw new EngineError("invalid", `unable to find user ${userPart}: no matching entries in passwd file`);
  }
  const uid = number ?? entry?.uid ?? 0;
  const gid = groupPart === "" ? (entry?.gid ?? 0) : groupNumber(groupPart, groups);
  const own =
    groupPart === "" && entry !== undefined
      ? groups.filter((each) => each.members.includes(entry.name)).map((each) => each.gid)
      : [];
  const added = add.map((each) => groupNumber(each, groups));
  return { uid, gid, groups: [...new Set([gid, ...own, ...added])], home: entry?.home || "/" };
}

function groupNumber(name: string, groups: readonly GroupEntry[]): number {
  const found = asNumber(name) ?? groups.find((each) => each.name === name)?.gid;
  if (found === undefined) {
    throw new EngineError("invalid", `unable to find group ${name}: no matching entries in group file`);
  }
  return found;
}

function asNumber(text: string): number | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  const number = Number(text);
  if (number < 0 || number > 0x7fffffff)
    throw new EngineError("invalid", "uids and gids must be in range 0-2147483647");
  return number;
}

function parsePasswd(bytes: Uint8Array): readonly PasswdEntry[] {
  return lines(bytes).flatMap((line) => {
    const [name = "", , uid = "", gid = "", , home = ""] = line.split(":");
    return isId(uid) && isId(gid) ? [{ name, uid: Number(uid), gid: Number(gid), home }] : [];
  });
}

function parseGroup(bytes: Uint8Array): readonly GroupEntry[] {
  return lines(bytes).flatMap((line) => {
    const [name = "", , gid = "", members = ""] = line.split(":");
    return isId(gid)
      ? [{ name, gid: Number(gid), members: members.split(",").map((each) => each.trim()) }]
      : [];
  });
}

/** A damaged line is as if it were not there, as with libc. */
function isId(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) <= 0x7fffffff;
}

function lines(bytes: Uint8Array): readonly string[] {
  return Buffer.from(bytes)
    .toString("utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
