/**
 * An ordinary user with an engine of its own: with subordinate ids, programs and a tun device by files that only its
 * mount namespace has, in a network namespace with a machine one link away, which answers names and pages.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { clientOf } from "../../../src/client/connect.ts";
import { stockClients } from "../../helpers/clients.ts";
import { type CommandResult, must, run, until } from "../../helpers/command.ts";

export const UID = 54321;
const SUBORDINATE = 200_000;
/** Of the other machine; it answers x.test with the address that asks it, and pages with the address that calls. */
export const OUTSIDE = "10.213.77.2";
const HERE = "10.213.77.1";

const SERVER = `
  require("node:http").createServer((q, a) => a.end(q.socket.remoteAddress.split(":").pop())).listen(80);
  const s = require("node:dgram").createSocket("udp4");
  s.on("message", (q, from) => {
    const end = q.indexOf(0, 12) + 5, known = q.includes("test") && q[end - 3] === 1;
    const head = Buffer.from(q.subarray(0, end)); head[2] = 0x81; head[3] = q.includes("test") ? 0x80 : 0x83; head.writeUInt16BE(known ? 1 : 0, 6); head.writeUInt32BE(0, 8);
    const record = Buffer.concat([Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4]), Buffer.from(from.address.split(".").map(Number))]);
    s.send(known ? Buffer.concat([head, record]) : head, from.port, from.address);
  }).bind(53, () => console.log("ready"));
`;

export interface UserOptions {
  /** Which of the machine's programs the user has. */
  readonly programs: readonly string[];
  /** Lines in /etc/subuid and /etc/subgid. Default true. */
  readonly ids?: boolean;
  /** A cgroup that is the user's; the daemon starts in it. */
  readonly cgroup?: string;
}

export class User implements AsyncDisposable {
  readonly directory = mkdtempSync("/var/tmp/slw-user-");
  readonly log = join(this.directory, "log");
  readonly execRoot = join(this.directory, "run/slipway");
  readonly host = `unix://${join(this.execRoot, "slipway.sock")}`;
  readonly client = clientOf(this.host, { socketPath: join(this.execRoot, "slipway.sock") });
  readonly netns = basename(this.directory);
  readonly #cgroup: string | undefined;
  #daemon: ChildProcess | undefined;
  #server: ChildProcess | undefined;

  private constructor(options: UserOptions) {
    this.#cgroup = options.cgroup;
    execFileSync("chmod", ["755", this.directory]);
    for (const name of ["run", "home", "bin"]) mkdirSync(join(this.directory, name), { mode: 0o755 });
    for (const name of ["run", "home"]) chownSync(join(this.directory, name), UID, UID);
    for (const name of options.programs) symlinkSync(`/usr/bin/${name}`, join(this.directory, "bin", name));
    this.#write("passwd", `root:x:0:0::/root:/bin/sh\nrl:x:${UID}:${UID}::/:/bin/sh\n`);
    for (const name of ["subuid", "subgid"])
      this.#write(name, options.ids === false ? "" : `rl:${SUBORDINATE}:65536\n`);
    this.#write("resolv.conf", `nameserver ${OUTSIDE}\n`);
    execFileSync("mknod", ["-m", "666", join(this.directory, "tun"), "c", "10", "200"]);
  }

  static async open(options: UserOptions): Promise<User> {
    const user = new User(options);
    const [here, there] = [user.netns, `${user.netns}-out`];
    for (const netns of [here, there]) await must(["ip", "netns", "add", netns]);
    await must([
      "ip",
      "-n",
      here,
      "link",
      "add",
      "up0",
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      there,
    ]);
    for (const [netns, link, address] of [
      [here, "up0", HERE],
      [there, "eth0", OUTSIDE],
    ] as const) {
      await must(["ip", "-n", netns, "address", "add", `${address}/24`, "dev", link]);
      for (const each of [link, "lo"]) await must(["ip", "-n", netns, "link", "set", each, "up"]);
    }
    await must(["ip", "-n", here, "route", "add", "default", "via", OUTSIDE]);
    const node = ["nsenter", `--net=/run/netns/${there}`, "--", process.execPath, "-e", SERVER];
    user.#server = spawn("setpriv", node.length > 0 ? ["--pdeathsig", "KILL", ...node] : [], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(user.#server.stdout as NonNullable<ChildProcess["stdout"]>, "data");
    return user;
  }

  /** Starts the daemon; every step replaces the process, so that it is the one that is started here. */
  async start(): Promise<void> {
    const main = join(import.meta.dirname, "../../../engine/main.ts");
    const log = openSync(this.log, "a");
    const script = [
      "set -e; mount --make-rprivate /",
      ...(this.#cgroup === undefined ? [] : [`echo $$ > ${this.#cgroup}/cgroup.procs`]),
      ...["passwd", "subuid", "subgid", "resolv.conf"].map(
        (name) => `mount --bind ${this.directory}/${name} /etc/${name}`,
      ),
      `mount --bind ${this.directory}/tun /dev/net/tun`,
      `exec setpriv --reuid ${UID} --regid ${UID} --clear-groups ${process.execPath} ${main} --log-level debug`,
    ].join("; ");
    const env = {
      PATH: `${this.directory}/bin`,
      HOME: join(this.directory, "home"),
      XDG_RUNTIME_DIR: join(this.directory, "run"),
      SLIPWAY_NATIVE: process.env["SLIPWAY_NATIVE"],
    };
    const argv = [
      `--net=/run/netns/${this.netns}`,
      "/usr/bin/unshare",
      "-m",
      "/bin/sh",
      "-c",
      `PATH=$PATH:/usr/bin:/bin; ${script.replace("exec ", `exec env PATH=${this.directory}/bin /usr/bin/`)}`,
    ];
    this.#daemon = spawn("/usr/bin/nsenter", argv, { stdio: ["ignore", log, log], env });
    const daemon = this.#daemon;
    await until(
      "the daemon answers",
      async () => {
        if (daemon.exitCode !== null) throw new Error(readFileSync(this.log, "utf8"));
        return this.client.ping().then(
          () => true,
          () => false,
        );
      },
      30_000,
    );
  }

  /** Ends the daemon. Its namespaces stay, for the next one. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = once(daemon, "exit");
    daemon.kill(signal);
    await ended;
  }

  /** Runs the stock docker command line against this engine. */
  async docker(...args: readonly string[]): Promise<CommandResult> {
    const { docker, config } = await stockClients();
    return run([docker, ...args], { env: { ...process.env, DOCKER_HOST: this.host, DOCKER_CONFIG: config } });
  }

  /** What answers over HTTP at the user's machine's loopback. */
  page(port: number): Promise<string> {
    const script = `require("node:http").get({ port: ${port} }, (a) => a.on("data", (d) => process.stdout.write(d))).on("error", (e) => console.log(e.code))`;
    return this.#node(this.netns, script);
  }

  /** The same, called by the other machine. */
  pageFromOutside(port: number): Promise<string> {
    const script = `require("node:http").get({ host: "${HERE}", port: ${port} }, (a) => a.on("data", (d) => process.stdout.write(d))).on("error", (e) => console.log(e.code))`;
    return this.#node(`${this.netns}-out`, script);
  }

  readLog(): string {
    return readFileSync(this.log, "utf8");
  }

  async close(): Promise<void> {
    this.client.close();
    await this.end("SIGTERM").catch(() => {});
    // The holder stays for the next engine of a real user; with it go the network and the process outside.
    for (const pid of processes()) process.kill(pid, "SIGKILL");
    this.#server?.kill("SIGKILL");
    await until("all processes have gone", async () => processes().length === 0);
    for (const netns of [this.netns, `${this.netns}-out`]) await must(["ip", "netns", "delete", netns]);
    rmSync(this.directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.directory, name), text);
  }

  #node(netns: string, script: string): Promise<string> {
    return must(["nsenter", `--net=/run/netns/${netns}`, "--", process.execPath, "-e", script]);
  }
}

/** Of the user, and of the users of its containers. */
function processes(): readonly number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const owner = Number(/^Uid:\t(\d+)/m.exec(status)?.[1]);
      const own = owner === UID || (owner >= SUBORDINATE && owner < SUBORDINATE + 65_536);
      return own && !/^State:\tZ/m.test(status);
    } catch {
      return false;
    }
  });
}
