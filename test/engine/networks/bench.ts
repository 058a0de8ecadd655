/**
 * A sandbox whose engine has an outside: one more network namespace, one link away. Programs of the test run in the
 * network namespaces of containers, with the machine's files: so they can be Node's.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { must, run } from "../../helpers/command.ts";
import { Sandbox } from "../../helpers/sandbox.ts";

/** Addresses of the link between the engine's namespace and the outside. */
export const HERE = "10.213.78.1";
export const OUTSIDE = "10.213.78.2";
export const HERE6 = "fd99::1";
export const OUTSIDE6 = "fd99::2";

/** Answers over TCP port 80 and UDP port 53 with the address it was called from. */
const SERVER = `
  require("node:http").createServer((q, a) => a.end(q.socket.remoteAddress)).listen(80, () => console.log("ready"));
  const s = require("node:dgram").createSocket("udp4");
  s.on("message", (m, from) => s.send(from.address, from.port, from.address)).bind(53);
`;

/** A DNS server that says where it was asked from: x.test is the asker's address, slow.test has no answer. */
const UPSTREAM = `
  const { createSocket } = require("node:dgram");
  const answer = (q, address) => {
    const end = q.indexOf(0, 12) + 5, known = q.includes("test");
    const head = Buffer.from(q.subarray(0, end)); head[2] = 0x81; head[3] = known ? 0x80 : 0x83; head.writeUInt16BE(known ? 1 : 0, 6); head.writeUInt16BE(0, 10);
    const record = Buffer.concat([Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4]), Buffer.from(address.split(".").map(Number))]);
    return known ? Buffer.concat([head, record]) : head;
  };
  const s = createSocket("udp4");
  s.on("message", (q, from) => q.includes("slow") || s.send(answer(q, from.address), from.port, from.address)).bind(53);
  require("node:net").createServer((c) => c.once("data", (d) => { const a = answer(d.subarray(2), c.remoteAddress.split(":").pop()); const l = Buffer.alloc(2); l.writeUInt16BE(a.length); c.end(Buffer.concat([l, a])); })).listen(53, () => console.log("ready"));
`;

const program =
  process.env["SLIPWAY_NATIVE"] ?? join(import.meta.dirname, "../../../dist/native/slipway-native");

/** The address of a module of the engine, as a string literal. */
function engine(path: string): string {
  return JSON.stringify(join(import.meta.dirname, "../../../engine", path));
}

export interface Started {
  readonly id: string;
  readonly pid: number;
  /** By network name. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<string, { HostIp: string; HostPort: string }[] | null>>;
}

export class Bench implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly #outside: string;
  readonly #children: ChildProcess[] = [];

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
    this.#outside = `${sandbox.netns}-out`;
  }

  static async open(): Promise<Bench> {
    const bench = new Bench(await Sandbox.open());
    const [here, there] = [bench.sandbox.netns, bench.#outside];
    // A new namespace takes this setting over from the machine's, which another test may have switched on.
    await bench.inside("sh", "-c", "echo 0 >/proc/sys/net/ipv4/ip_forward");
    await must(["ip", "netns", "add", there]);
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
      await must(["ip", "-n", netns, "link", "set", link, "up"]);
      const address6 = `fd99::${address.at(-1)}/64`;
      await must(["ip", "-n", netns, "-6", "address", "add", address6, "dev", link, "nodad"]);
      await must(["ip", "-n", netns, "link", "set", "lo", "up"]);
    }
    return bench;
  }

  /** A container that does nothing, on the network `mode`; `host` is more of HostConfig. */
  async start(
    name: string,
    mode: string,
    host: object = {},
    endpoint: object = {},
    config: object = {},
  ): Promise<Started> {
    const { client } = this.sandbox;
    const { Id } = await client.createContainer({
      ...config,
      name,
      Image: "busybox",
      Cmd: ["sleep", "1000"],
      HostConfig: { NetworkMode: mode, ...host },
      NetworkingConfig: { EndpointsConfig: { [mode]: endpoint } },
    });
    await client.startContainer(Id);
    return this.inspect(Id);
  }

  async inspect(id: string): Promise<Started> {
    const { State, NetworkSettings } = await this.sandbox.client.inspectContainer(id);
    const addresses = Object.entries(NetworkSettings.Networks).map(([name, { IPAddress }]) => [
      name,
      IPAddress,
    ]);
    return { id, pid: State.Pid, addresses: Object.fromEntries(addresses), ports: NetworkSettings.Ports };
  }

  async remove(...containers: readonly Started[]): Promise<void> {
    for (const { id } of containers) await this.sandbox.client.removeContainer(id, { force: true });
  }

  /** A server in the container's network. */
  serve(container: Started): Promise<void> {
    return this.#background(["--net", "-t", String(container.pid)], SERVER);
  }

  /** The DNS server of the outside. */
  serveNames(): Promise<void> {
    return this.#background([`--net=/run/netns/${this.#outside}`], UPSTREAM);
  }

  /** That a call is not answered, within a time in which others are. */
  unanswered(from: Started | "outside" | "machine", host: string, port: number): Promise<string> {
    return this.call(from, host, port, 700);
  }

  /** What a call over TCP gets; or the error's code. From a container, the outside, or the engine's own namespace. */
  call(from: Started | "outside" | "machine", host: string, port: number, limitMs = 8000): Promise<string> {
    return this.node(
      from,
      `const q = require("node:http").get({ host: ${JSON.stringify(host)}, port: ${port}, timeout: ${limitMs} }, (a) => a.on("data", (d) => console.log(String(d))));
       q.on("timeout", () => q.destroy(Object.assign(new Error(), { code: "ETIMEDOUT" }))); q.on("error", (e) => console.log(e.code));`,
    );
  }

  callUdp(from: Started | "outside" | "machine", host: string, port: number): Promise<string> {
    return this.node(
      from,
      `const s = require("node:dgram").createSocket("udp4"); s.send("?", ${port}, ${JSON.stringify(host)});
       s.on("message", (m) => { console.log(String(m)); process.exit(); }); setTimeout(() => { console.log("ETIMEDOUT"); process.exit(); }, 8000);`,
    );
  }

  /** The addresses that a container's resolver gives, joined by blanks; or the error's code. */
  resolve(from: Started, name: string, method = "resolve4"): Promise<string> {
    return this.node(
      from,
      `const r = new (require("node:dns").promises.Resolver)({ timeout: 8000, tries: 1 }); r.setServers(["127.0.0.11"]);
       r.${method}(${JSON.stringify(name)}).then((a) => console.log(a.sort().join(" ")), (e) => console.log(e.code));`,
    );
  }

  /** The same over TCP: the last bytes of the answer as an address. */
  resolveTcp(from: Started, name: string): Promise<string> {
    return this.node(
      from,
      `const name = ${JSON.stringify(name)}.split(".").map((l) => String.fromCharCode(l.length) + l).join("") + "\\0";
       const q = Buffer.concat([Buffer.from([0, 0, 9, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), Buffer.from(name, "latin1"), Buffer.from([0, 1, 0, 1])]);
       q.writeUInt16BE(q.length - 2, 0);
       const c = require("node:net").connect(53, "127.0.0.11", () => { c.write(q.subarray(0, 5)); setTimeout(() => c.write(q.subarray(5)), 20); });
       c.setTimeout(8000, () => c.destroy()); c.on("error", (e) => console.log(e.code)); c.once("data", (d) => { console.log([...d.subarray(-4)].join(".")); c.destroy(); });`,
    );
  }

  async node(from: Started | "outside" | "machine", script: string): Promise<string> {
    const { stdout, stderr } = await run([
      "nsenter",
      ...this.#enter(from),
      "--",
      process.execPath,
      "-e",
      script,
    ]);
    return stdout.trim() || stderr.trim();
  }

  /** Runs a program of the machine's in a container's network namespace. */
  run(container: Started, ...argv: readonly string[]): Promise<string> {
    return must(["nsenter", "--net", "-t", String(container.pid), "--", ...argv]);
  }

  /** A file of the container's, as its programs see it. */
  async read(container: Started, path: string): Promise<string> {
    return must(["nsenter", "--mount", "-t", String(container.pid), "--", "/bin/cat", path]);
  }

  /** Runs a program in the engine's network namespace. */
  readonly inside = (...argv: readonly string[]): Promise<string> =>
    must(["nsenter", `--net=/run/netns/${this.sandbox.netns}`, "--", ...argv]);

  /** Takes the engine's nftables away, as `nft flush ruleset` would. */
  async dropTable(): Promise<void> {
    const script = `
      const { jobKind } = await import(${engine("native/protocol.ts")});
      const { Spawner } = await import(${engine("native/spawner.ts")});
      const { removeTable } = await import(${engine("networks/firewall.ts")});
      const { markOf } = await import(${engine("networks/machine.ts")});
      const [program, socket, execRoot] = process.argv.slice(1);
      const spawner = await Spawner.start({ program, socket });
      await spawner.request(jobKind.network, [{ op: "hostNetlink", ...removeTable("slipway" + markOf(execRoot), 4) }]);
      await spawner.close();`;
    const argv = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script, "--"];
    const socket = join(this.sandbox.directory, "second-spawner.sock");
    await this.inside(process.execPath, ...argv, program, socket, this.sandbox.execRoot);
  }

  async outside(...argv: readonly string[]): Promise<string> {
    return must(["ip", "netns", "exec", this.#outside, ...argv]);
  }

  #enter(from: Started | "outside" | "machine"): string[] {
    if (from === "outside") return [`--net=/run/netns/${this.#outside}`];
    if (from === "machine") return [`--net=/run/netns/${this.sandbox.netns}`];
    return ["--net", "-t", String(from.pid)];
  }

  async #background(enter: readonly string[], script: string): Promise<void> {
    const child = spawn("nsenter", [...enter, "--", process.execPath, "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#children.push(child);
    await once(child.stdout, "data");
  }

  /** They keep the network namespaces of their containers alive. */
  async endServers(): Promise<void> {
    for (const child of this.#children.splice(0)) {
      if (child.exitCode === null && child.kill("SIGKILL")) await once(child, "exit");
    }
  }

  async close(): Promise<void> {
    await this.endServers();
    await must(["ip", "netns", "delete", this.#outside]);
    await this.sandbox.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
