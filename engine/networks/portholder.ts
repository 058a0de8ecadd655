import { readdir, readFile, readlink } from "node:fs/promises";
import type { Protocol } from "./firewall.ts";

/** A process that holds a port. */
export interface PortHolder {
  readonly pid: number;
  readonly command: string;
}

/**
 * Finds who listens on a port in this network namespace, for an error message.
 *
 * @returns undefined if nobody is seen: gone by now, or of another pid namespace
 * @see proc_net_tcp(5): state 0A is LISTEN; udp sockets that are bound have 07
 */
export async function findPortHolder(protocol: Protocol, port: number): Promise<PortHolder | undefined> {
  const inodes = new Set<string>();
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  for (const file of [`/proc/net/${protocol}`, `/proc/net/${protocol}6`]) {
    const lines = (await readFile(file, "utf8").catch(() => "")).split("\n").slice(1);
    for (const line of lines) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      const listens = protocol === "tcp" ? state === "0A" : true;
      if (listens && local?.endsWith(`:${hex}`) && inode !== undefined) inodes.add(`socket:[${inode}]`);
    }
  }
  if (inodes.size === 0) return undefined;
  for (const pid of await readdir("/proc")) {
    if (/^\d+$/.test(pid) && (await holds(pid, inodes)))
      return { pid: Number(pid), command: await commandOf(pid) };
  }
  return undefined;
}

async function holds(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
  return links.some((link) => inodes.has(link));
}

/** The command line, cut so that it fits a message. */
async function commandOf(pid: string): Promise<string> {
  const line = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ").trim();
  return line.length > 80 ? `${line.slice(0, 77)}...` : line;
}
