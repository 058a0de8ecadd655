import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { must } from "./measure.ts";

export interface Peer {
  readonly env: NodeJS.ProcessEnv;
  /** Stops it, unless it ran before. */
  stop(): void;
}

/** The network namespace that the peer's scripts give it. */
export const PEER_NETNS = "slipway-peers";

/** The Docker engine beside this project, where its scripts are; the figures stand alone where they are not. */
export function startPeer(): Peer | undefined {
  const scripts = join(import.meta.dirname, "../../../shared/peers");
  if (!existsSync(join(scripts, "start"))) return undefined;
  const found = spawnSync("ip", ["netns", "pids", PEER_NETNS], { encoding: "utf8" }).stdout.trim() !== "";
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const line of must(join(scripts, "start"), []).split("\n")) {
    const exported = /^export (.*)$/.exec(line)?.[1];
    for (const pair of exported?.split(" ") ?? []) {
      const [name = "", value = ""] = pair.split(/=(.*)/s);
      env[name] = value.replace("$PATH", process.env["PATH"] ?? "");
    }
  }
  return { env, stop: () => void (found || execFileSync(join(scripts, "stop"))) };
}

/** Resident memory of a process and of all that it started, in MiB. */
export function residentMiB(pid: number): number {
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(
    execFileSync("cat", [`/proc/${pid}/status`], { encoding: "utf8" }),
  )?.[1];
  return Number(rss ?? 0) / 1024;
}
