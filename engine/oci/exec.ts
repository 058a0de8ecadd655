/** `exec`: a further program in a container, with the caller's stdio. This process stays beside it and carries that. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { inspectHost } from "../containers/host.ts";
import { EngineError } from "../errors.ts";
import { Monitor, type Session } from "../native/monitor.ts";
import { processOfBundle } from "./compile.ts";
import type { OciProcess } from "./config.ts";
import type { OciRecord } from "./state.ts";

export interface ExecOptions {
  /** A file with the specification's `process`; without it `args` are run as the container's own program is. */
  readonly processFile: string | undefined;
  readonly args: readonly string[];
  readonly pidFile: string | undefined;
}

/**
 * Runs a program to its end.
 *
 * @returns its exit status
 * @throws {EngineError} notImplemented for a terminal; invalid if it cannot be run
 */
export async function execIn(record: OciRecord, runDir: string, options: ExecOptions): Promise<number> {
  const process_ = await processOf(record, options);
  if (process_.terminal) throw new EngineError("notImplemented", "exec with a terminal is not supported");
  const ops = processOfBundle(process_, record.config.linux?.seccomp, await inspectHost("slipway-oci"));
  const monitor = await Monitor.open(runDir);
  try {
    const streams = { stdin: true, stdout: true, stderr: true } as const;
    let session: Session | undefined;
    session = await monitor.exec([...ops, { op: "streams", ...streams }], {
      data(stream, chunk) {
        if (process[stream].write(chunk)) return true;
        process[stream].once("drain", () => session?.resume());
        return false;
      },
    });
    if (options.pidFile !== undefined) await writeFile(options.pidFile, String(process.pid));
    carryInput(session);
    const exit = await session.exited;
    session.close();
    return exit?.code ?? 255;
  } finally {
    monitor.close();
    process.stdin.destroy();
  }
}

/**
 * Runs the same command again without `--detach`, beside the caller: whose process it becomes when this one ends.
 *
 * @throws {EngineError} system, if it ends before its program runs; it has said why
 */
export async function execDetached(argv: readonly string[], pidFile: string): Promise<void> {
  const [, script = ""] = process.argv;
  const child = spawn(process.execPath, [...process.execArgv, script, ...argv], {
    stdio: "inherit",
    detached: true,
  });
  const ended = once(child, "exit").then(() => "ended" as const);
  for (;;) {
    if ((await Promise.race([ended, pause()])) === "ended") throw new EngineError("system", "exec failed");
    // Written as a whole, by one write, when the program runs.
    if ((await readFile(pidFile, "utf8").catch(() => "")) !== "") break;
  }
  child.unref();
}

async function processOf(record: OciRecord, options: ExecOptions): Promise<OciProcess> {
  if (options.processFile !== undefined) {
    return JSON.parse(await readFile(options.processFile, "utf8")) as OciProcess;
  }
  const own = record.config.process;
  if (own === undefined) throw new EngineError("invalid", "the container has no process to take after");
  return { ...own, terminal: false, args: options.args };
}

function carryInput(session: Session): void {
  process.stdin.on("data", (chunk: Buffer) => {
    if (session.write(chunk)) return;
    process.stdin.pause();
    void session.drained().then(() => process.stdin.resume());
  });
  process.stdin.on("end", () => session.endInput());
  process.stdin.on("error", () => session.endInput());
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
