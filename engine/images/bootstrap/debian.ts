import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { EngineError } from "../../errors.ts";
import { tarEnd, tarHeader } from "../archive/tar-writer.ts";
import { hostPlatform } from "../import.ts";
import type { Staging } from "../layers.ts";
import type { ImageConfig } from "../types.ts";
import { PrivateApt, runProgram } from "./apt.ts";
import type { Workshop } from "./bootstrap.ts";
import { packageDatabase } from "./database.ts";
import { type Package, unpackPackages } from "./package.ts";
import { type BootstrapPlan, LABEL, machineNames, machineSuite } from "./plan.ts";
import { CONFIGURE, imageSettings, SLIM_EXCLUDES } from "./settings.ts";
import { machineSources, type Source, sourcesFor } from "./sources.ts";

type DebianPlan = Extract<BootstrapPlan, { kind: "debian" }>;

const KEYRING_PACKAGE = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** Installed as a link to it: has the same keys. */
const LIB64 = new Set(["amd64", "ppc64el", "ppc64", "s390x"]);

/** Makes a Debian root file system a layer. @returns the image's configuration */
export async function makeDebian(plan: DebianPlan, workshop: Workshop): Promise<ImageConfig> {
  const { store, say } = workshop;
  const sources = findSources(plan.suite);
  const architecture = (await runProgram("dpkg", ["--print-architecture"], {})).trim();
  say("Fetching package lists");
  const debs = await fetchPackages(plan, sources, architecture, workshop);
  const staging = await store.layers.stage();
  try {
    say(`Unpacking ${debs.length} packages`);
    const packages = await unpackAll(debs, plan, architecture, staging, workshop);
    await writeSettings(plan, sources, packages, staging, workshop);
    say(`Configuring ${packages.length} packages`);
    const newest = Math.max(...packages.map((pkg) => pkg.newest));
    await configure(newest, staging, workshop);
    say("Storing the layer");
    const layer = await store.layers.adoptStaged(staging, workshop.lease);
    return describe(plan, sources, packages, layer.diffId, newest);
  } catch (error) {
    await store.layers.discard(staging);
    throw error;
  }
}

function findSources(suite: string): Source[] {
  const machine = machineSources();
  for (const own of machineNames(machineSuite())) {
    const sources = sourcesFor(machine, suite, own);
    if (sources.length > 0) return sources;
  }
  throw new EngineError("unavailable", "apt on this machine has no Debian sources to make an image from");
}

async function fetchPackages(
  plan: DebianPlan,
  sources: readonly Source[],
  architecture: string,
  { directory, say, signal }: Workshop,
): Promise<string[]> {
  const apt = await PrivateApt.open(directory, sources, architecture);
  await apt.update(signal);
  say("Fetching packages");
  const wanted = [
    "?essential",
    ...(plan.variant === "apt" ? [] : ["?priority(required)"]),
    "apt",
    ...plan.include,
  ];
  try {
    // The root is merged from the start, so that the package that would do it is not needed.
    return await apt.download([...wanted, "usrmerge-"], signal);
  } catch (error) {
    if (signal?.aborted) throw error;
    return apt.download(wanted, signal);
  }
}

async function unpackAll(
  debs: readonly string[],
  plan: DebianPlan,
  architecture: string,
  staging: Staging,
  { store, signal }: Workshop,
): Promise<Package[]> {
  const { workers } = store;
  const into = { kind: "dir", path: staging.fs } as const;
  await workers.untar(Readable.from([mergedRoot(architecture)]), into, { whiteouts: "plain" });
  const exclude = plan.variant === "slim" ? SLIM_EXCLUDES : [];
  const options = { workers, tree: staging.fs, exclude, ...(signal === undefined ? {} : { signal }) };
  const packages = await unpackPackages(debs, options);
  return packages.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** /bin and the like lie in /usr; packages that still name them are led there by the links. */
function mergedRoot(architecture: string): Buffer {
  const names = ["bin", "sbin", "lib", ...(LIB64.has(architecture) ? ["lib64"] : [])];
  return Buffer.concat([
    tarHeader({ name: "./", directory: true }),
    tarHeader({ name: "usr/", directory: true }),
    ...names.flatMap((name) => [
      tarHeader({ name: `usr/${name}/`, directory: true }),
      tarHeader({ name, link: `usr/${name}` }),
    ]),
    tarEnd(),
  ]);
}

async function writeSettings(
  plan: DebianPlan,
  sources: readonly Source[],
  packages: readonly Package[],
  staging: Staging,
  { store }: Workshop,
): Promise<void> {
  const keys = new Map(
    sources
      .map(({ signedBy }) => signedBy ?? "")
      .filter((path) => path.startsWith("/") && path !== KEYRING_PACKAGE && existsSync(path))
      .map((path) => [path, readFileSync(path)] as const),
  );
  const archive = Buffer.concat([
    packageDatabase(packages),
    imageSettings(sources, plan.variant === "slim", keys),
  ]);
  await store.workers.untar(
    Readable.from([archive]),
    { kind: "dir", path: staging.fs },
    { whiteouts: "plain" },
  );
}

async function configure(
  newest: number,
  staging: Staging,
  { store, runner, signal }: Workshop,
): Promise<void> {
  const work = join(staging.directory, "work");
  await mkdir(work, { mode: 0o700 });
  let output = "";
  const { exitCode } = await runner.runStep({
    lowers: [],
    upper: staging.fs,
    work,
    argv: ["/bin/sh", "-c", CONFIGURE, "configure", String(newest)],
    env: [],
    network: "none",
    hostname: "localhost",
    output: (_stream, chunk) => {
      output = (output + Buffer.from(chunk).toString("utf8")).slice(-65_536);
    },
    ...(signal === undefined ? {} : { signal }),
  });
  await store.workers.remove({ kind: "dir", path: staging.directory }, "work");
  if (exitCode !== 0) {
    const last = output.trimEnd().split("\n").slice(-8).join("\n");
    throw new EngineError("system", `the packages could not be configured (exit ${exitCode}):\n${last}`);
  }
}

function describe(
  plan: DebianPlan,
  sources: readonly Source[],
  packages: readonly Package[],
  diffId: string,
  newest: number,
): ImageConfig {
  // Equal packages make an equal image, so nothing in it tells when it was made.
  const created = new Date(newest * 1000).toISOString();
  const where = sources.flatMap(({ uris, suites, components }) =>
    uris.flatMap((uri) => suites.map((suite) => [uri, suite, ...components].join(" "))),
  );
  return {
    ...hostPlatform(),
    created,
    config: {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      Cmd: ["bash"],
      Labels: {
        [LABEL.suite]: plan.suite,
        [LABEL.variant]: plan.variant,
        ...(plan.include.length > 0 ? { [LABEL.include]: plan.include.join(" ") } : {}),
        [LABEL.sources]: where.join("; "),
        [LABEL.packages]: packages.map(({ name, version }) => `${name}=${version}`).join(" "),
      },
    },
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [
      {
        created,
        created_by: `slipway image bootstrap ${plan.suite} (${plan.variant}, ${packages.length} packages)`,
      },
    ],
  };
}
