/** Debian's docker-registry (distribution), fetched once into .cache and run on loopback; nothing is installed. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { must, run } from "../../helpers/command.ts";

const cache = join(import.meta.dirname, "../../../.cache/docker-registry");

/** For `user`, whose password is `pass:word`. */
const HTPASSWD = "user:$2y$05$abcdefghijklmnopqrstuuDIEddBSuRWBBEY6g5zv60IAP5bSSfki\n";

export interface RegistryOptions {
  readonly login?: boolean;
  readonly tls?: boolean;
  /** Where it keeps what it has, which stays when it is closed. Default: a directory of its own, which goes. */
  readonly data?: string;
  /** A network namespace (ip-netns(8)) whose loopback it listens on. Default: the caller's. */
  readonly netns?: string;
}

export class DebianRegistry implements AsyncDisposable {
  readonly host: string;
  /** Holds certs.d, if it speaks TLS. */
  readonly directory: string;
  readonly #process: ChildProcess;

  private constructor(host: string, directory: string, child: ChildProcess) {
    this.host = host;
    this.directory = directory;
    this.#process = child;
  }

  static async open(options: RegistryOptions = {}): Promise<DebianRegistry> {
    const program = await fetchProgram();
    const directory = mkdtempSync("/var/tmp/slw-registry-");
    const host = `127.0.0.1:${await freePort()}`;
    const tls = options.tls ? await makeCertificate(directory, host) : "";
    writeFileSync(join(directory, "htpasswd"), HTPASSWD);
    const auth = options.login ? `auth: {htpasswd: {realm: test, path: ${directory}/htpasswd}}` : "";
    writeFileSync(
      join(directory, "config.yml"),
      [
        "version: 0.1",
        "log: {level: error, accesslog: {disabled: true}}",
        `storage: {filesystem: {rootdirectory: ${options.data ?? `${directory}/data`}}, delete: {enabled: true}}`,
        `http: {addr: "${host}", secret: x${tls}}`,
        auth,
      ].join("\n"),
    );
    const enter = options.netns === undefined ? [] : ["nsenter", `--net=/run/netns/${options.netns}`, "--"];
    const [command = "", ...args] = [...enter, program, "serve", join(directory, "config.yml")];
    const child = spawn(command, args, { stdio: "ignore" });
    const registry = new DebianRegistry(host, directory, child);
    for (let tries = 0; tries < 100; tries++) {
      if (await answers(host, enter)) return registry;
      await sleep(50);
    }
    await registry[Symbol.asyncDispose]();
    throw new Error("docker-registry does not come up");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill();
    await ended;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function fetchProgram(): Promise<string> {
  const program = join(cache, "usr/bin/docker-registry");
  if (existsSync(program)) return program;
  const work = `${cache}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  await must(["apt-get", "-qq", "-oAPT::Sandbox::User=root", "download", "docker-registry"], {
    cwd: work,
    limitMs: 120_000,
  });
  for (const name of readdirSync(work)) await must(["dpkg-deb", "-x", join(work, name), work]);
  rmSync(cache, { recursive: true, force: true });
  renameSync(work, cache);
  return program;
}

/** A certificate authority of the registry's own, where the engine looks for it. @returns the configuration's part */
async function makeCertificate(directory: string, host: string): Promise<string> {
  const trusted = join(directory, "certs.d", host);
  mkdirSync(trusted, { recursive: true });
  const [key, certificate] = [join(directory, "key.pem"), join(trusted, "ca.crt")];
  await selfSigned(key, certificate);
  return `, tls: {certificate: ${certificate}, key: ${key}}`;
}

/** Writes a key and a certificate for 127.0.0.1 that is its own authority. */
export async function selfSigned(key: string, certificate: string): Promise<void> {
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
  await must(["openssl", "req", "-x509", ...kind, ...names, "-keyout", key, "-out", certificate]);
}

/** Whether something listens there, which is asked where it lives. */
async function answers(host: string, enter: readonly string[]): Promise<boolean> {
  const [address = "", port = ""] = host.split(":");
  const connect = `exec 3<>/dev/tcp/${address}/${port}`;
  return (await run([...enter, "bash", "-c", connect])).status === 0;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
