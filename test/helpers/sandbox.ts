/**
 * A daemon of a test's own: data root, exec root, socket, cgroup parent and network namespace are made for it, and
 * when it is closed nothing of them may be left. What is left is taken away and fails the test.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { EngineClient } from "../../src/client/client.ts";
import { clientOf } from "../../src/client/connect.ts";
import { daemonProgram } from "../../src/client/program.ts";
import { isFresh } from "./bundles.ts";
import { busyboxTar } from "./busybox.ts";
import { stockClients } from "./clients.ts";
import { type CommandOptions, type CommandResult, must, run, until } from "./command.ts";
import { type Marks, machineLinks, removeLeaks } from "./leaks.ts";
import { type Running, startRunning } from "./running.ts";

const root = join(import.meta.dirname, "../..");

/** A machine that runs several tests at once may take its time. */
const START_MS = 30_000;

export interface SandboxOptions {
  /** More options of `slipway daemon`. */
  readonly args?: readonly string[];
  /** Import `busybox:latest`. Default true. */
  readonly busybox?: boolean;
  /** A directory for all that the daemon keeps, on a file system of the test's choice. Default /var/tmp. */
  readonly parent?: string;
}

export class Sandbox implements AsyncDisposable {
  readonly name: string;
  readonly directory: string;
  readonly netns: string;
  readonly socket: string;
  /** For `--host`. */
  readonly host: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly cgroupParent: string;
  readonly log: string;
  readonly client: EngineClient;
  readonly #marks: Marks;
  readonly #links: readonly string[];
  readonly #args: readonly string[];
  #daemon: ChildProcess | undefined;

  private constructor(directory: string, netnsId: string, links: readonly string[], options: SandboxOptions) {
    this.name = directory.slice(directory.lastIndexOf("slw-"));
    this.directory = directory;
    this.netns = this.name;
    this.cgroupParent = this.name;
    this.dataRoot = join(directory, "data");
    this.execRoot = join(directory, "run");
    this.socket = join(this.execRoot, "slipway.sock");
    this.host = `unix://${this.socket}`;
    this.log = join(directory, "daemon.log");
    this.client = clientOf(this.host, { socketPath: this.socket });
    this.#marks = { directory, cgroupParent: this.cgroupParent, netns: this.netns, netnsId };
    this.#links = links;
    this.#args = options.args ?? [];
  }

  /** Makes the surroundings and starts a daemon in them, with `busybox:latest` in its store. */
  static async open(options: SandboxOptions = {}): Promise<Sandbox> {
    // /tmp may be too small or a tmpfs, on which overlayfs cannot have its upper directory everywhere.
    mkdirSync("/var/tmp", { recursive: true });
    const directory = mkdtempSync(join(options.parent ?? "/var/tmp", "slw-"));
    const name = directory.slice(directory.lastIndexOf("slw-"));
    const links = machineLinks();
    await must(["ip", "netns", "add", name]);
    await must(["ip", "-n", name, "link", "set", "lo", "up"]);
    const netnsId = (await must(inNamespace(name, ["readlink", "/proc/self/ns/net"]))).trim();
    const sandbox = new Sandbox(directory, netnsId, links, options);
    try {
      await sandbox.start();
      if (options.busybox !== false) {
        await sandbox.client.importImage(busyboxTar(), {
          reference: "busybox:latest",
          changes: ['CMD ["sh"]'],
        });
      }
    } catch (error) {
      const log = sandbox.readLog();
      await sandbox.close().catch(() => {});
      // uvu says nothing about a hook that fails.
      console.error(`the daemon of the test does not start: ${error}\n${log}`);
      throw error;
    }
    return sandbox;
  }

  /** Starts the daemon, the first or the next one. Resolves when it answers. */
  async start(): Promise<void> {
    const log = openSync(this.log, "a");
    const argv = [...daemonCommand(), ...this.daemonOptions(), ...this.#args];
    const [program = "", ...args] = inNamespace(this.netns, argv);
    this.#daemon = spawn(program, args, {
      stdio: ["ignore", log, log],
      detached: true,
      env: { ...process.env, ...daemonProgram().env },
    });
    const daemon = this.#daemon;
    await until(
      "the daemon answers",
      async () => {
        if (daemon.exitCode !== null)
          throw new Error(`the daemon ended with ${daemon.exitCode}\n${this.readLog()}`);
        return answers(this.socket);
      },
      START_MS,
    );
  }

  /** The options by which a daemon lives in this sandbox. */
  daemonOptions(): string[] {
    return [
      ...["--host", this.host, "--data-root", this.dataRoot, "--exec-root", this.execRoot],
      ...["--cgroup-parent", this.cgroupParent, "--log-level", "debug"],
    ];
  }

  get pid(): number {
    return this.#daemon?.pid ?? 0;
  }

  /** Ends the daemon as `systemctl stop` does; containers run on. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** Ends the daemon without a warning. */
  async kill9(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Runs our command line against this daemon. */
  slipway(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const env = { ...process.env, ...options.env, SLIPWAY_HOST: this.host };
    return run([...cliCommand(), ...args], { ...options, env });
  }

  /** Starts our command line against this daemon and goes on. */
  startSlipway(args: readonly string[], options: CommandOptions = {}): Running {
    const env = { ...process.env, ...options.env, SLIPWAY_HOST: this.host };
    return startRunning([...cliCommand(), ...args], { ...options, env });
  }

  /** Runs the stock docker command line against this daemon. */
  async docker(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const { docker, config } = await stockClients();
    const env = { ...process.env, DOCKER_HOST: this.host, DOCKER_CONFIG: config, ...options.env };
    return run([docker, ...args], { ...options, env });
  }

  /** Runs a program where the daemon lives: its published ports are on 127.0.0.1 there. */
  inside(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return run(inNamespace(this.netns, argv), options);
  }

  readLog(): string {
    return existsSync(this.log) ? readFileSync(this.log, "utf8") : "";
  }

  /** Removes every container, stops the daemon, and fails if anything is left. */
  async close(): Promise<void> {
    if (this.#daemon !== undefined && (await answers(this.socket))) {
      const containers = await this.client.listContainers({ all: true }).catch(() => []);
      const remove = (id: string) => this.client.removeContainer(id, { force: true, volumes: true });
      await Promise.allSettled(containers.map(({ Id }) => remove(Id)));
    }
    this.client.close();
    await this.stop();
    const leaks = await removeLeaks(this.#marks, this.#links);
    await must(["ip", "netns", "delete", this.netns]).catch((error) => leaks.push(String(error)));
    const log = this.readLog();
    rmSync(this.directory, { recursive: true, force: true });
    if (leaks.length > 0) {
      throw new Error(`left behind:\n  ${leaks.join("\n  ")}\nlog:\n${log.slice(-4000)}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = once(daemon, "exit");
    daemon.kill(signal);
    const timer = setTimeout(() => daemon.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(timer);
  }
}

/** `nsenter` and not `ip netns exec`: that one would also give the daemon mounts of its own. */
function inNamespace(netns: string, argv: readonly string[]): string[] {
  return ["nsenter", `--net=/run/netns/${netns}`, "--", ...argv];
}

function daemonCommand(): readonly string[] {
  const { argv } = daemonProgram();
  return isFresh("engine.cjs", ["engine"]) ? [...argv.slice(0, -1), join(root, "dist/engine.cjs")] : argv;
}

function cliCommand(): string[] {
  return isFresh("cli.cjs", ["src", "schema"])
    ? [process.execPath, join(root, "dist/cli.cjs")]
    : [process.execPath, "--disable-warning=ExperimentalWarning", join(root, "src/main.ts")];
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
