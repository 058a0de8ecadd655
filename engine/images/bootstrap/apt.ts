import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../../errors.ts";
import { printSources, type Source } from "./sources.ts";

/** Hooks of the machine's configuration that would change the machine. */
const HOOKS = [
  "APT::Update::Pre-Invoke",
  "APT::Update::Post-Invoke",
  "APT::Update::Post-Invoke-Success",
  "APT::Update::Post-Invoke-Stats",
  "APT::Install::Pre-Invoke",
  "APT::Install::Post-Invoke-Success",
  "DPkg::Pre-Invoke",
  "DPkg::Post-Invoke",
  "DPkg::Pre-Install-Pkgs",
];

/**
 * The machine's apt with its configuration (proxies, certificates, credentials), but with lists, caches, package
 * database and sources of its own beneath one directory: nothing of the machine is changed.
 */
export class PrivateApt {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** @param directory empty */
  static async open(
    directory: string,
    sources: readonly Source[],
    architecture: string,
  ): Promise<PrivateApt> {
    for (const path of ["lists/partial", "cache/archives/partial", "etc/preferences.d", "sources"]) {
      await mkdir(join(directory, path), { recursive: true });
    }
    await copyLists("/var/lib/apt/lists", join(directory, "lists"));
    const apt = new PrivateApt(directory);
    await writeFile(join(directory, "status"), "");
    await writeFile(join(directory, "sources", "image.sources"), printSources(sources));
    await writeFile(join(directory, "first.conf"), `Dir::Etc::main "${join(directory, "last.conf")}";\n`);
    await writeFile(join(directory, "last.conf"), apt.#configuration(architecture));
    return apt;
  }

  /** Read after the machine's parts, so that it has the last word. @see apt.conf(5) */
  #configuration(architecture: string): string {
    const at = (name: string): string => JSON.stringify(join(this.#directory, name));
    return [
      ...(existsSync("/etc/apt/apt.conf") ? ['#include "/etc/apt/apt.conf";'] : []),
      ...HOOKS.map((hook) => `#clear ${hook};`),
      `Dir::State ${at("")};`,
      `Dir::State::lists ${at("lists/")};`,
      `Dir::State::status ${at("status")};`,
      `Dir::State::extended_states ${at("extended_states")};`,
      `Dir::Cache ${at("cache/")};`,
      'Dir::Cache::pkgcache "pkgcache.bin";',
      'Dir::Cache::srcpkgcache "";',
      'Dir::Etc::sourcelist "/dev/null";',
      `Dir::Etc::sourceparts ${at("sources/")};`,
      `Dir::Etc::preferences "/dev/null";`,
      `Dir::Etc::preferencesparts ${at("etc/preferences.d/")};`,
      `Dir::Log ${at("")};`,
      `APT::Architecture "${architecture}";`,
      `APT::Architectures { "${architecture}"; };`,
      'APT::Sandbox::User "root";',
      'APT::Install-Recommends "false";',
      'APT::Install-Suggests "false";',
      'APT::Get::AllowUnauthenticated "false";',
      'Acquire::Languages "none";',
      'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";',
      'Acquire::GzipIndexes "true";',
      'Acquire::Retries "3";',
      'Binary::apt-get::APT::Keep-Downloaded-Packages "true";',
      "",
    ].join("\n");
  }

  /** Fetches and verifies the package lists. @throws {EngineError} unavailable with apt's own words */
  async update(signal?: AbortSignal): Promise<void> {
    const output = await this.#run(["update", "--error-on=any"], signal);
    if (/^[WE]: /m.test(output)) throw new EngineError("unavailable", `apt-get update: ${lastLines(output)}`);
  }

  /**
   * Fetches packages with what they depend on.
   *
   * @param wanted names and patterns of apt-patterns(7)
   * @returns the files' paths
   */
  async download(wanted: readonly string[], signal?: AbortSignal): Promise<string[]> {
    await this.#run(["install", "--download-only", "--yes", ...wanted], signal);
    const archives = join(this.#directory, "cache", "archives");
    return (await readdir(archives))
      .filter((name) => name.endsWith(".deb"))
      .sort()
      .map((name) => join(archives, name));
  }

  #run(args: readonly string[], signal?: AbortSignal): Promise<string> {
    const env = {
      ...process.env,
      APT_CONFIG: join(this.#directory, "first.conf"),
      LC_ALL: "C.UTF-8",
      DEBIAN_FRONTEND: "noninteractive",
    };
    return runProgram("apt-get", ["-q", ...args], { env, ...(signal === undefined ? {} : { signal }) });
  }
}

/** The machine's own lists to begin with: what of them is current need not be fetched; apt verifies all of it again. */
async function copyLists(from: string, to: string): Promise<void> {
  const names = await readdir(from).catch(() => []);
  const wanted = names.filter((name) =>
    /_(InRelease|Release|Release\.gpg|Packages|Packages\.[a-z0-9]+)$/.test(name),
  );
  await Promise.all(wanted.map((name) => copyFile(join(from, name), join(to, name)).catch(() => {})));
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/** Runs a program of the machine. @returns what it wrote @throws {EngineError} unavailable with its last lines */
export function runProgram(name: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(name, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-65_536);
    });
  }
  child.once("error", (cause) => {
    reject(
      (cause as NodeJS.ErrnoException).code === "ENOENT"
        ? new EngineError(
            "unavailable",
            `a Debian image is made from packages, and ${name} is not on this machine`,
            { cause },
          )
        : cause,
    );
  });
  child.once("close", (status) => {
    if (status === 0) resolve(output);
    else reject(new EngineError("unavailable", `${name} ${args[1] ?? args[0] ?? ""}: ${lastLines(output)}`));
  });
  return promise;
}

function lastLines(output: string): string {
  const lines = output.split("\n").filter((line) => /^[WE]: /.test(line));
  return (lines.length > 0 ? lines : output.trim().split("\n")).slice(-4).join("; ");
}
