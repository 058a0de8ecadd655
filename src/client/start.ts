import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../errors.ts";
import { daemonProgram } from "./program.ts";

/** A daemon with thousands of records needs a second or two to prove them. */
const LIMIT_MS = 20_000;
const POLL_MS = 5;

/** Where a daemon is to live. */
export interface Places {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly socket: string;
  readonly log: string;
}

/**
 * Starts the default daemon, unless it answers already: detached, in a session of its own, with its log in the data
 * root. Of several that find none at a time one starts it, the others wait for it.
 *
 * @throws {AppError} ENGINE_UNREACHABLE, with the last lines of its log
 */
export async function startDaemon(
  places: Places,
  onStart: (logFile: string) => void = () => {},
): Promise<void> {
  const { dataRoot, execRoot, socket, log } = places;
  if (await answers(socket)) return;
  mkdirSync(dataRoot, { recursive: true, mode: 0o710 });
  mkdirSync(execRoot, { recursive: true, mode: 0o711 });
  const lock = join(execRoot, "start.lock");
  const mine = takeLock(lock);
  try {
    // Between the first look and the lock somebody may have finished starting it.
    if (await answers(socket)) return;
    if (mine) onStart(log);
    const exit = mine ? launch(places) : undefined;
    const deadline = Date.now() + LIMIT_MS;
    while (!(await answers(socket))) {
      if (exit?.code !== undefined) throw failure(log, `it ended at once with status ${exit.code}`);
      if (Date.now() > deadline) throw failure(log, `it does not answer after ${LIMIT_MS / 1000} s`);
      await sleep(POLL_MS);
    }
  } finally {
    if (mine) rmSync(lock, { force: true });
  }
}

/** Whether somebody accepts connections on the socket file. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(false);
      else {
        reject(
          new AppError("ENGINE_UNREACHABLE", `cannot reach the engine at unix://${path}: ${error.message}`, {
            hint: "Run as root or as a member of the socket's group.",
            cause: error,
          }),
        );
      }
    });
  });
}

/** Whether the starting is ours to do. A lock whose holder is gone is taken over. */
function takeLock(path: string): boolean {
  for (;;) {
    try {
      const file = openSync(path, "wx", 0o600);
      writeSync(file, String(process.pid));
      closeSync(file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if (isHeld(path)) return false;
      rmSync(path, { force: true });
    }
  }
}

/** Whether the lock's holder still starts a daemon. Before it has written its pid the file is empty, but never for long. */
function isHeld(path: string): boolean {
  const holder = Number(read(path));
  if (holder !== 0) return isAlive(holder);
  const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return Date.now() - made < 2_000;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function launch({ dataRoot, execRoot, socket, log }: Places): { code: number | undefined } {
  const output = openSync(log, "a", 0o600);
  const { argv, env } = daemonProgram();
  const [command, ...args] = argv;
  const roots = ["--data-root", dataRoot, "--exec-root", execRoot];
  const options = ["--host", `unix://${socket}`, ...roots, "--log-file", log];
  const child = spawn(command, [...args, ...options], {
    cwd: "/",
    detached: true,
    env: { ...process.env, ...env },
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  child.unref();
  const exit: { code: number | undefined } = { code: undefined };
  child.once("exit", (code) => {
    exit.code = code ?? 1;
  });
  child.once("error", () => {
    exit.code = 127;
  });
  return exit;
}

function failure(log: string, why: string): AppError {
  const lines = read(log).trimEnd().split("\n").slice(-5).join("\n");
  return new AppError("ENGINE_UNREACHABLE", `the engine could not be started: ${why}`, {
    hint: `Its log is ${log}.`,
    frame: lines,
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
