/**
 * An engine of an ordinary user: one that has subordinate ids and a tun device by files that only this test's mount
 * namespace has. Without newuidmap and slirp4netns there is nothing to test.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { clientOf } from "../../../src/client/connect.ts";
import { busyboxTar } from "../../helpers/busybox.ts";
import { until } from "../../helpers/command.ts";

const uid = 54321;
const main = join(import.meta.dirname, "../../../engine/main.ts");
const programs = ["newuidmap", "newgidmap", "slirp4netns"].every((name) => {
  const paths = (process.env["PATH"] ?? "").split(":");
  return [...paths, "/usr/bin"].some((path) => {
    try {
      return readdirSync(path).includes(name);
    } catch {
      return false;
    }
  });
});

const possible = programs && ["/etc/subuid", "/etc/subgid", "/dev/net/tun"].every((path) => existsSync(path));

/** The user's home and machine, as far as an engine sees it. */
class User {
  readonly directory = mkdtempSync("/var/tmp/slw-user-");
  readonly log = join(this.directory, "log");
  readonly execRoot = join(this.directory, "run/slipway");
  readonly client = clientOf(`unix://${join(this.execRoot, "slipway.sock")}`, {
    socketPath: join(this.execRoot, "slipway.sock"),
  });
  #daemon: ChildProcess | undefined;

  constructor() {
    execFileSync("chmod", ["755", this.directory]);
    for (const name of ["run", "home"]) {
      mkdirSync(join(this.directory, name), { mode: 0o700 });
      chownSync(join(this.directory, name), uid, uid);
    }
    writeFileSync(
      join(this.directory, "passwd"),
      `root:x:0:0::/root:/bin/sh\nrl:x:${uid}:${uid}::/:/bin/sh\n`,
    );
    for (const name of ["subuid", "subgid"]) writeFileSync(join(this.directory, name), "rl:200000:65536\n");
    execFileSync("mknod", ["-m", "666", join(this.directory, "tun"), "c", "10", "200"]);
  }

  /** Every step replaces the process, so that the daemon is the one that is started here. */
  async start(): Promise<void> {
    const log = openSync(this.log, "a");
    const script = [
      "set -e; mount --make-rprivate /",
      ...["passwd", "subuid", "subgid"].map((name) => `mount --bind ${this.directory}/${name} /etc/${name}`),
      `mount --bind ${this.directory}/tun /dev/net/tun`,
      `exec setpriv --reuid ${uid} --regid ${uid} --clear-groups ${process.execPath} ${main} --log-level debug`,
    ].join("; ");
    const env = {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: join(this.directory, "home"),
      XDG_RUNTIME_DIR: join(this.directory, "run"),
      SLIPWAY_NATIVE: process.env["SLIPWAY_NATIVE"],
    };
    this.#daemon = spawn("unshare", ["-m", "sh", "-c", script], { stdio: ["ignore", log, log], env });
    const daemon = this.#daemon;
    await until("the daemon answers", async () => {
      if (daemon.exitCode !== null) throw new Error(readFileSync(this.log, "utf8"));
      return this.client.ping().then(
        () => true,
        () => false,
      );
    });
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(this.#daemon as ChildProcess, "exit");
    this.#daemon?.kill(signal);
    await ended;
  }

  processes(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          const status = readFileSync(`/proc/${pid}/status`, "utf8");
          const owner = Number(/^Uid:\t(\d+)/m.exec(status)?.[1]);
          return (owner === uid || (owner >= 200000 && owner < 265536)) && !/^State:\tZ/m.test(status);
        } catch {
          return false;
        }
      })
      .map(Number);
  }
}

function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as { port: number };
    server.close(() => resolve(port));
  });
  return promise;
}

function fetchPage(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get({ port, agent: false }, async (response) => {
    let text = "";
    for await (const chunk of response) text += chunk;
    resolve(text);
  }).on("error", reject);
  return promise;
}

const rootless = suite("native/rootless");

rootless("a user's container has a network and a published port, and outlives the daemon", async () => {
  if (!possible) return;
  const user = new User();
  try {
    await user.start();
    await user.client.importImage(busyboxTar(), { reference: "busybox:latest" });
    const port = await freePort();
    const script =
      "mkdir /www; (id -u; cat /proc/self/uid_map; chown 1000:1000 /www && stat -c %u /www) | tr -s ' \\n' ' ' > /www/index.html; exec httpd -f -p 80 -h /www";
    const { Id } = await user.client.createContainer({
      name: "web",
      Image: "busybox",
      Cmd: ["sh", "-c", script],
      ExposedPorts: { "80/tcp": {} },
      HostConfig: { PortBindings: { "80/tcp": [{ HostPort: String(port) }] } },
    });
    await user.client.startContainer(Id);
    const page = `0 0 ${uid} 1 1 200000 65536 1000 `;
    await until("the page is served", async () => (await fetchPage(port).catch(() => "")) === page);

    const taken = await user.client.createContainer({
      name: "late",
      Image: "busybox",
      Cmd: ["true"],
      HostConfig: { PortBindings: { "80/tcp": [{ HostPort: String(port) }] } },
    });
    const conflict = await user.client.startContainer(taken.Id).catch((reason) => reason);
    assert.match(conflict.message, String(port));
    await user.client.removeContainer(taken.Id, { force: true });

    await user.client.createNetwork({ Name: "back" });
    const HostConfig = { NetworkMode: "back" };
    const peer = await user.client.createContainer({
      name: "peer",
      Image: "busybox",
      Cmd: ["sleep", "1000"],
      HostConfig,
    });
    await user.client.startContainer(peer.Id);
    const pinger = await user.client.createContainer({
      name: "pinger",
      Image: "busybox",
      Cmd: ["ping", "-c1", "peer"],
      HostConfig,
    });
    const exited = user.client.waitContainer(pinger.Id, { condition: "next-exit" });
    await user.client.startContainer(pinger.Id);
    assert.is((await exited).StatusCode, 0, "a name of its network");
    for (const { Id: id } of [peer, pinger]) await user.client.removeContainer(id, { force: true });

    await user.end("SIGKILL");
    assert.is(await fetchPage(port), page, "without a daemon");
    await user.start();
    assert.is((await user.client.inspectContainer(Id)).State.Running, true);
    await user.client.removeContainer(Id, { force: true });
    await user.end("SIGTERM");
  } finally {
    // The holder stays for the next engine of a real user; with it go the network and the process outside.
    for (const pid of user.processes()) process.kill(pid, "SIGKILL");
    await until("all processes have gone", async () => user.processes().length === 0);
    rmSync(user.directory, { recursive: true, force: true });
  }
});

rootless.run();
