/**
 * The images that pulls are measured with: 170 MB of this machine's own Debian packages, the smallest system first, as
 * one layer and as ten, in the files of a registry. Made once, kept in .cache.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { DebianRegistry } from "../engine/images/debian-registry.ts";
import { must } from "../helpers/command.ts";

const cache = join(import.meta.dirname, "../../.cache/bench-registry");
const SIZE = 170_000; // kB, as dpkg counts
const TEN = 10;

export const IMAGES = ["debian-1:latest", "debian-10:latest"] as const;

/** @returns the data directory of a registry that has IMAGES */
export async function debianImages(): Promise<string> {
  if (existsSync(cache)) return cache;
  const work = `${cache}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  try {
    await using registry = await DebianRegistry.open({ data: join(work, "data") });
    const packages = await choosePackages();
    const all = packages.flat();
    await push(registry.host, "debian-1", [await packFiles(work, all)]);
    const tenths = Array.from({ length: TEN }, (_, at) => all.filter((_, index) => index % TEN === at));
    const layers: Buffer[] = [];
    for (const tenth of tenths) layers.push(await packFiles(work, tenth));
    await push(registry.host, "debian-10", layers);
  } finally {
    if (existsSync(join(work, "data"))) renameSync(join(work, "data"), cache);
    rmSync(work, { recursive: true, force: true });
  }
  return cache;
}

/** Names of packages, those that every system has first, up to SIZE. */
async function choosePackages(): Promise<string[]> {
  const order = ["required", "important", "standard", "optional"];
  const listing = await must([
    "dpkg-query",
    "-W",
    "-f",
    "${Priority} ${Installed-Size} ${binary:Package}\\n",
  ]);
  const known = listing
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .map(([priority = "", size = "", name = ""]) => ({
      rank: order.indexOf(priority),
      size: Number(size),
      name,
    }))
    .filter(({ rank, size }) => rank >= 0 && size < 40_000)
    .sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1));
  let total = 0;
  return known.filter(({ size }) => (total += size) <= SIZE).map(({ name }) => name);
}

/** A layer of the files of packages, packed as most images are. */
async function packFiles(work: string, packages: readonly string[]): Promise<Buffer> {
  const listed = (await must(["dpkg", "-L", ...packages])).split("\n").filter((path) => path.startsWith("/"));
  // Directories that are links by now (/bin) are given as what they are; what lies in them, where it really lies.
  const paths = listed
    .map((path) => (existsSync(dirname(path)) ? join(realpathSync(dirname(path)), basename(path)) : path))
    .filter((path) => path !== "/" && path !== "/.");
  const list = join(work, "list");
  writeFileSync(
    list,
    [...new Set(paths)]
      .sort()
      .map((path) => `.${path}\n`)
      .join(""),
  );
  const archive = join(work, "layer.tar");
  await must(["tar", "-C", "/", "--no-recursion", "--ignore-failed-read", "-T", list, "-cf", archive]).catch(
    () => {},
  );
  return readFileSync(archive);
}

async function push(host: string, name: string, tars: readonly Buffer[]): Promise<void> {
  const blob = async (bytes: Buffer): Promise<{ digest: string; size: number }> => {
    const digest = digestOf(bytes);
    const begun = await fetch(`http://${host}/v2/${name}/blobs/uploads/`, { method: "POST" });
    const place = `${begun.headers.get("location")}&digest=${digest}`;
    const done = await fetch(place, { method: "PUT", body: new Uint8Array(bytes) });
    if (done.status !== 201) throw new Error(`upload: ${done.status} ${await done.text()}`);
    return { digest, size: bytes.length };
  };
  const layers = [];
  for (const tar of tars)
    layers.push({
      mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
      ...(await blob(gzipSync(tar))),
    });
  const config = {
    architecture: "amd64",
    os: "linux",
    config: { Cmd: ["/bin/sh"], Env: ["PATH=/usr/bin:/bin"] },
    rootfs: { type: "layers", diff_ids: tars.map(digestOf) },
  };
  const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: "application/vnd.docker.container.image.v1+json",
      ...(await blob(Buffer.from(JSON.stringify(config)))),
    },
    layers,
  };
  const done = await fetch(`http://${host}/v2/${name}/manifests/latest`, {
    method: "PUT",
    headers: { "content-type": mediaType },
    body: JSON.stringify(manifest),
  });
  if (done.status !== 201) throw new Error(`manifest: ${done.status} ${await done.text()}`);
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
