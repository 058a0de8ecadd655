import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { EngineError } from "../errors.ts";
import { cgroupDirectories } from "./cgroups/operations.ts";
import type { Container } from "./container.ts";
import { cgroupPath } from "./spec.ts";
import { emit, type Tools } from "./tools.ts";

export interface ProcessTable {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}

/**
 * The processes of a container, by the machine's own ps: never by a program of the container (CVE-2022-1227).
 *
 * @param options of ps; empty for `-ef`
 * @throws {EngineError} conflict if it does not run, invalid if ps does not know the options or shows no PID
 */
export async function containerProcesses(
  tools: Tools,
  container: Container,
  options: string,
): Promise<ProcessTable> {
  if (container.live === undefined) {
    throw new EngineError("conflict", `container ${container.id} is not running`);
  }
  const [pids, text] = await Promise.all([
    containerPids(tools, container),
    runPs(options === "" ? "-ef" : options),
  ]);
  const [head = "", ...lines] = text.split("\n").filter((line) => line.trim() !== "");
  const Titles = head.trim().split(/\s+/);
  const column = Titles.indexOf("PID");
  if (column < 0) throw new EngineError("invalid", "Couldn't find PID field in ps output");
  const Processes = lines
    .map((line) => fields(line, Titles.length))
    .filter((row) => pids.has(Number(row[column])));
  emit(tools, container, "top");
  return { Titles, Processes };
}

/** Pids in the engine's namespace. */
export async function containerPids(tools: Tools, container: Container): Promise<ReadonlySet<number>> {
  const [directory] = cgroupDirectories(tools.host.cgroups, cgroupPath(tools.host, container.record));
  if (directory === undefined) return pidsOfNamespace(container.live?.pid ?? 0);
  const text = await readFile(join(directory, "cgroup.procs"), "utf8").catch(() => "");
  return new Set(text.split("\n").filter(Boolean).map(Number));
}

/** Without cgroups, as of an ordinary user: who shares the first process's PID namespace. */
async function pidsOfNamespace(first: number): Promise<ReadonlySet<number>> {
  const namespace = (pid: number | string): Promise<string> =>
    readlink(`/proc/${pid}/ns/pid`).catch(() => ""); // Others' are not ours to see.
  const own = await namespace(first);
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(pids.map(async (pid) => [Number(pid), await namespace(pid)] as const));
  return new Set(all.flatMap(([pid, its]) => (own !== "" && its === own ? [pid] : [])));
}

async function runPs(options: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("ps", options.trim().split(/\s+/), {
      env: { PATH, LC_ALL: "C" },
    });
    return stdout;
  } catch (cause) {
    const { stderr = "", message } = cause as { readonly stderr?: string; readonly message: string };
    const [first = ""] = stderr.trim().split("\n");
    throw new EngineError("invalid", `ps: ${first || message}`, { cause });
  }
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The last column is the command, and may hold spaces. */
function fields(line: string, count: number): readonly string[] {
  const words = line.trim().split(/\s+/);
  return [...words.slice(0, count - 1), words.slice(count - 1).join(" ")];
}
