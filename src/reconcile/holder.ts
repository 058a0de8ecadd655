import { readdir, readFile, readlink } from "node:fs/promises";

/** `0A` is LISTEN for TCP, `07` is what an unconnected UDP socket shows. */
const LISTENING = { tcp: "0A", udp: "07" } as const;

/**
 * Who listens on a port of this machine: `pid 17616 python3 -m http.server (in /tmp)`.
 *
 * @returns undefined where nobody does, or where the process is hidden from this user
 * @see proc(5), /proc/net/tcp and /proc/PID/fd
 */
export async function portHolder(port: number, protocol: string): Promise<string | undefined> {
  const family = protocol === "udp" ? "udp" : "tcp";
  const inodes = await socketsOn(port, family);
  if (inodes.size === 0) return undefined;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    if (!(await holds(pid, inodes))) continue;
    const [command, directory] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
      readlink(`/proc/${pid}/cwd`).catch(() => ""),
    ]);
    const words = command.replaceAll("\0", " ").trim().slice(0, 80);
    return `pid ${pid}${words ? ` ${words}` : ""}${directory ? ` (in ${directory})` : ""}`;
  }
  return undefined;
}

async function socketsOn(port: number, family: "tcp" | "udp"): Promise<ReadonlySet<string>> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const tables = await Promise.all(
    [family, `${family}6`].map((name) => readFile(`/proc/net/${name}`, "utf8").catch(() => "")),
  );
  const inodes = new Set<string>();
  for (const line of tables.flatMap((table) => table.split("\n").slice(1))) {
    const fields = line.trim().split(/\s+/);
    if (fields[1]?.endsWith(suffix) && fields[3] === LISTENING[family]) inodes.add(fields[9]!);
  }
  return inodes;
}

async function holds(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => []); // Gone, or another user's.
  for (const fd of fds) {
    const link = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
    const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}
