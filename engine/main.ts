/**
 * `slipway daemon`: reads its options, takes the data root, opens the engine and serves it until SIGTERM. Containers
 * are not its children: they run on when it ends, and the next one finds them by their records and monitors.
 */

import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { ApiServer } from "./api/server.ts";
import { openEngine } from "./assemble.ts";
import { EngineError, messageOf } from "./errors.ts";
import { type Log, openLog } from "./log.ts";
import { MemoryKeeper } from "./memory.ts";
import { engineUser, enterNamespace, needsNamespace } from "./native/rootless.ts";
import { type DaemonOptions, parseOptions, USAGE } from "./options.ts";
import { lockData } from "./store/lock.ts";
import { Paths } from "./store/paths.ts";
import { createDirectories } from "./store/records.ts";

/** How long requests that still run may take to end. */
const GRACE_MS = 2_000;

const VERSION = process.env["SLIPWAY_VERSION"] ?? "0.0.0-dev";

void main(process.argv.slice(2)); // says itself what went wrong

async function main(args: readonly string[]): Promise<void> {
  try {
    const options = parseOptions(args, engineUser(process.env), process.env);
    if (options === "help") process.stdout.write(USAGE);
    else if (options === "version") process.stdout.write(`${VERSION}\n`);
    else if (needsNamespace(process.env)) enterNamespace(options.execRoot);
    else await serve(options);
  } catch (error) {
    process.stderr.write(`slipway daemon: ${messageOf(error)}\n`);
    process.exitCode = error instanceof EngineError && error.kind === "invalid" ? 16 : 1;
  }
}

async function serve(options: DaemonOptions): Promise<void> {
  process.umask(0o022);
  const paths = new Paths(options.dataRoot, options.execRoot);
  await createDirectories(paths);
  const log = openLog(options.logLevel, options.logFile);
  const lock = await lockData(paths.lock);
  try {
    await freeSocket(options.socket);
    const engine = await openEngine(paths, options, VERSION, log);
    const server = new ApiServer(engine.routes, {
      version: VERSION,
      log,
      onRequest: new MemoryKeeper().noteRequest,
    });
    await server.listen(options.socket);
    log.info("serving", { socket: options.socket, pid: process.pid, version: VERSION });
    log.info("stopping", { signal: await stopSignal(log) });
    await server.close(GRACE_MS);
    await engine.close();
  } catch (error) {
    log.error("the daemon cannot go on", { error: messageOf(error) });
    throw error;
  } finally {
    await lock.release();
  }
  log.info("stopped");
  // A connection that a client leaves half open must not keep the process.
  process.exit(0);
}

/**
 * Removes the socket file of a daemon that is gone. The data root's lock is held; a daemon of another data root may
 * still be listening there.
 *
 * @throws {EngineError} conflict, if somebody answers
 */
async function freeSocket(path: string): Promise<void> {
  const answered = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
  if (answered) throw new EngineError("conflict", `another engine answers at ${path}`);
  await rm(path, { force: true });
}

/** Resolves with the first SIGTERM or SIGINT; the second one ends the process at once. */
function stopSignal(log: Log): Promise<string> {
  process.on("SIGHUP", () => {}); // the terminal that started it is closed
  process.on("unhandledRejection", (error) => {
    log.error("unhandled", { error: error instanceof Error ? (error.stack ?? "") : String(error) });
  });
  process.on("uncaughtException", (error) => {
    // What is on disk is whole; what is in memory may no longer be. The next command starts a daemon that reads it.
    log.error("the daemon ends by a fault of its own", { trace: error.stack ?? String(error) });
    process.exit(1);
  });
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      process.on(name, () => {
        resolve(name);
        process.once(name, () => process.exit(130));
      });
    }
  });
}
