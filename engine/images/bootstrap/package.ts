import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { PassThrough, type Readable } from "node:stream";
import { EngineError } from "../../errors.ts";
import type { Workers } from "../../native/workers.ts";
import { readTar } from "../archive/tar-reader.ts";

/** A package that is unpacked but not configured. */
export interface Package {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** "libc6:amd64" where several architectures of it may be installed, else the name: its key in dpkg's database. */
  readonly key: string;
  readonly stanza: string; // its fields, as they stand in the package
  /** The other control files, by name. */
  readonly control: ReadonlyMap<string, ControlFile>;
  readonly paths: readonly string[]; // absolute, as dpkg lists them
  readonly conffiles: readonly Conffile[];
  readonly newest: number; // time of its newest file, seconds since the epoch
}

export interface ControlFile {
  readonly content: Buffer;
  readonly executable: boolean;
}

export interface Conffile {
  readonly path: string;
  readonly md5: string; // of the packaged content
}

export interface Unpacking {
  readonly workers: Workers;
  readonly tree: string;
  /** Patterns of what is left out. */
  readonly exclude: readonly string[];
  readonly signal?: AbortSignal;
}

type Control = ReadonlyMap<string, ControlFile>;
type PackageData = Pick<Package, "paths" | "conffiles" | "newest">;

const CONTROL_LIMIT = 8 << 20;
const SCRIPTS = new Set(["preinst", "postinst", "prerm", "postrm", "config"]);
/** Unpacking is bound by the processor; a little more than its cores evens out packages of unlike size. */
const AT_ONCE = 3;

/**
 * Unpacks packages' files into the tree, as dpkg would before it configures.
 *
 * Their inner archives come one after the other from a few processes: starting two for each package took longer than
 * some take to unpack.
 */
export async function unpackPackages(debs: readonly string[], options: Unpacking): Promise<Package[]> {
  const controls = await readControls(debs, options.signal);
  const packages = debs.map((deb, at) => ({ deb, control: controls[at] ?? new Map() }));
  const done = await Promise.allSettled(shares(packages).map((share) => unpackShare(share, options)));
  for (const result of done) if (result.status === "rejected") throw result.reason;
  return done.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
}

interface Unread {
  readonly deb: string;
  readonly control: Control;
}

/** Splits them so that each share has about as many bytes: the largest go first, each to the smallest share. */
function shares(packages: readonly Unread[]): Unread[][] {
  const all = Array.from({ length: Math.min(AT_ONCE, packages.length) }, () => ({
    bytes: 0,
    items: [] as Unread[],
  }));
  const sized = packages
    .map((item) => ({ item, size: statSync(item.deb).size }))
    .sort((a, b) => b.size - a.size);
  for (const { item, size } of sized) {
    const smallest = all.reduce((least, share) => (share.bytes < least.bytes ? share : least));
    smallest.items.push(item);
    smallest.bytes += size;
  }
  return all.map(({ items }) => items);
}

async function readControls(debs: readonly string[], signal?: AbortSignal): Promise<Control[]> {
  const all = debs.map(() => new Map<string, ControlFile>());
  const archives = members(debs, "--ctrl-tarfile", signal);
  for await (const entry of readTar(archives.output, true)) {
    const name = entry.name.replace(/^\.\//, "");
    if (entry.type !== "file" || name.includes("/")) continue;
    all[entry.archive]?.set(name, {
      content: await entry.bytes(CONTROL_LIMIT),
      executable: SCRIPTS.has(name),
    });
  }
  await archives.done;
  return all;
}

async function unpackShare(
  share: readonly Unread[],
  { workers, tree, exclude, signal }: Unpacking,
): Promise<Package[]> {
  const archives = members(
    share.map(({ deb }) => deb),
    "--fsys-tarfile",
    signal,
  );
  const [toWorker, toReader] = [1, 2].map(() => new PassThrough({ highWaterMark: 1 << 20 })) as [
    PassThrough,
    PassThrough,
  ];
  archives.output.on("error", (error) => {
    toWorker.destroy(error);
    toReader.destroy(error);
  });
  archives.output.pipe(toWorker);
  archives.output.pipe(toReader);
  const options = { whiteouts: "plain", keepLinks: true, concatenated: true, exclude } as const;
  const listed = share.map(({ control }) => conffilesOf(control));
  const [, found] = await Promise.all([
    workers.untar(toWorker, { kind: "dir", path: tree }, options),
    readData(toReader, listed),
    archives.done,
  ]);
  return share.map(({ deb, control }, at) => describe(deb, control, found[at]));
}

function conffilesOf(control: Control): Set<string> {
  const lines = (control.get("conffiles")?.content.toString("utf8") ?? "").split("\n");
  return new Set(lines.map((line) => line.trim()).filter((path) => path.startsWith("/")));
}

function describe(deb: string, control: Control, data: PackageData | undefined): Package {
  const fields = control.get("control")?.content.toString("utf8") ?? "";
  const [name, version, architecture] = ["Package", "Version", "Architecture"].map((field) =>
    fieldOf(fields, field),
  );
  if (!name || !version || !architecture || data === undefined) {
    throw new EngineError("unavailable", `${deb} is no Debian package`);
  }
  return {
    name,
    version,
    architecture,
    key: fieldOf(fields, "Multi-Arch") === "same" ? `${name}:${architecture}` : name,
    stanza: fields.trim(),
    control: new Map([...control].filter(([file]) => file !== "control")),
    ...data,
  };
}

/** A field's first line. */
function fieldOf(stanza: string, field: string): string {
  return new RegExp(`^${field}:[ \\t]*(.*)$`, "mi").exec(stanza)?.[1]?.trim() ?? "";
}

async function readData(data: Readable, listed: readonly ReadonlySet<string>[]): Promise<PackageData[]> {
  const found = listed.map(() => ({ paths: [] as string[], conffiles: [] as Conffile[], newest: 0 }));
  for await (const entry of readTar(data, true)) {
    const of = found[entry.archive];
    if (of === undefined) continue;
    const path = entry.name.replace(/^\.?\/*/, "/").replace(/\/$/, "");
    of.paths.push(path === "" ? "/." : path);
    of.newest = Math.max(of.newest, entry.mtime);
    if (listed[entry.archive]?.has(path) !== true || entry.type !== "file") continue;
    const hash = createHash("md5");
    for await (const piece of entry.content()) hash.update(piece);
    of.conffiles.push({ path, md5: hash.digest("hex") });
  }
  return found;
}

/** The packages' inner archives, one after the other, decompressed by dpkg-deb, which knows all the forms there were. */
function members(
  debs: readonly string[],
  which: string,
  signal?: AbortSignal,
): { output: Readable; done: Promise<void> } {
  const script = 'which=$1; shift; for deb; do dpkg-deb "$which" "$deb" || exit 1; done';
  const child = spawn("/bin/sh", ["-c", script, "unpack", which, ...debs], {
    stdio: ["ignore", "pipe", "pipe"],
    ...(signal === undefined ? {} : { signal }),
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-1000);
  });
  const done = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      if (status === 0) resolve();
      else reject(new EngineError("unavailable", `a package cannot be unpacked: ${said.trim()}`));
    });
  });
  done.catch(() => {});
  return { output: child.stdout, done };
}
