import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { must } from "./command.ts";

const root = join(import.meta.dirname, "../..");

/** The programs of other people that have to work against our engine. */
export interface Clients {
  readonly docker: string;
  /** Holds the plugins: compose and buildx. */
  readonly config: string;
}

/**
 * Fetches the stock docker command line, compose and buildx from Debian's packages, once, into `.cache`. They come
 * from trixie, also on an older Debian: bookworm has no compose v2. Nothing is installed on the machine.
 */
export async function stockClients(): Promise<Clients> {
  const directory = join(root, ".cache", "clients");
  if (!existsSync(directory)) await fetchClients(directory);
  return { docker: join(directory, "usr/bin/docker"), config: join(directory, "config") };
}

async function fetchClients(directory: string): Promise<void> {
  const work = `${directory}.${process.pid}`;
  const [lists, archives, debs, unpacked] = ["lists/partial", "cache/archives/partial", "debs", "root"].map(
    (name) => join(work, name),
  ) as [string, string, string, string];
  for (const path of [lists, archives, debs, unpacked]) mkdirSync(path, { recursive: true });
  writeFileSync(
    join(work, "sources.list"),
    `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${debianMirror()} trixie main\n`,
  );
  const apt = [
    "apt-get",
    `-oDir::Etc::SourceList=${join(work, "sources.list")}`,
    "-oDir::Etc::SourceParts=/dev/null",
    `-oDir::State::Lists=${join(work, "lists")}`,
    `-oDir::Cache=${join(work, "cache")}`,
    "-oAPT::Sandbox::User=root",
    "-qq",
  ];
  await must([...apt, "update"], { limitMs: 120_000 });
  await must([...apt, "download", "docker-cli", "docker-compose", "docker-buildx"], {
    cwd: debs,
    limitMs: 120_000,
  });
  for (const name of readdirSync(debs)) await must(["dpkg-deb", "-x", join(debs, name), unpacked]);
  const plugins = join(unpacked, "config", "cli-plugins");
  cpSync(join(unpacked, "usr/libexec/docker/cli-plugins"), plugins, { recursive: true });
  if (existsSync(directory))
    rmSync(work, { recursive: true }); // another test was faster
  else renameSync(unpacked, directory);
  rmSync(work, { recursive: true, force: true });
}

/** The libraries and programs from npm that use an engine; what their versions need of it is held by test/contract. */
const PACKAGES = ["dockerode@5.0.1", "testcontainers@10.28.0", "@devcontainers/cli@0.89.0"];

/**
 * Fetches dockerode, Testcontainers and the dev containers' command line from the npm registry, once, into `.cache`,
 * and gives their folder: a program that lies in it can import them.
 */
export async function libraries(): Promise<string> {
  const key = createHash("sha256").update(PACKAGES.join()).digest("hex").slice(0, 12);
  const directory = join(root, ".cache", `libraries-${key}`);
  if (existsSync(directory)) return directory;
  const work = `${directory}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, "package.json"), '{ "private": true, "type": "module" }\n');
  const options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  await must(["npm", "install", ...options, ...PACKAGES], { cwd: work, limitMs: 180_000 });
  if (existsSync(directory))
    rmSync(work, { recursive: true }); // another test was faster
  else renameSync(work, directory);
  return directory;
}

/** Where the machine's own packages come from. */
function debianMirror(): string {
  for (const [file, form] of [
    ["/etc/apt/sources.list.d/debian.sources", /^URIs:\s*(\S+)/m],
    ["/etc/apt/sources.list", /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)/m],
  ] as const) {
    const found = existsSync(file) ? form.exec(readFileSync(file, "utf8")) : null;
    if (found?.[1] !== undefined) return found[1];
  }
  throw new Error("apt has no Debian source");
}
