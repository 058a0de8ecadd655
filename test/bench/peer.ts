import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { must } from "./measure.ts";

export interface Peer {
  readonly env: NodeJS.ProcessEnv;
  stop(): void;
}

/** The Docker engine beside this project, where its scripts are; the figures stand alone where they are not. */
export function startPeer(): Peer | undefined {
  const scripts = join(import.meta.dirname, "../../../shared/peers");
  if (!existsSync(join(scripts, "start"))) return undefined;
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const line of must(join(scripts, "start"), []).split("\n")) {
    const exported = /^export (.*)$/.exec(line)?.[1];
    for (const pair of exported?.split(" ") ?? []) {
      const [name = "", value = ""] = pair.split(/=(.*)/s);
      env[name] = value.replace("$PATH", process.env["PATH"] ?? "");
    }
  }
  return { env, stop: () => void execFileSync(join(scripts, "stop")) };
}

/** Resident memory of a process and of all that it started, in MiB. */
export function residentMiB(pid: number): number {
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(
    execFileSync("cat", [`/proc/${pid}/status`], { encoding: "utf8" }),
  )?.[1];
  return Number(rss ?? 0) / 1024;
}
