import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
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

type PackageData = Pick<Package, "paths" | "conffiles" | "newest">;

const CONTROL_LIMIT = 8 << 20;
const SCRIPTS = new Set(["preinst", "postinst", "prerm", "postrm", "config"]);

/** Unpacks a package's files into the tree, as dpkg would before it configures. */
export async function unpackPackage(deb: string, options: Unpacking): Promise<Package> {
  const control = await readControl(deb, options.signal);
  const fields = control.get("control")?.content.toString("utf8") ?? "";
  const [name, version, architecture] = ["Package", "Version", "Architecture"].map((field) =>
    fieldOf(fields, field),
  );
  if (!name || !version || !architecture) throw new EngineError("unavailable", `${deb} is no Debian package`);
  const wanted = (control.get("conffiles")?.content.toString("utf8") ?? "")
    .split("\n")
    .map((line) => line.trim());
  const listed = new Set(wanted.filter((path) => path.startsWith("/")));
  const data = await unpackData(deb, listed, options);
  control.delete("control");
  return {
    name,
    version,
    architecture,
    key: fieldOf(fields, "Multi-Arch") === "same" ? `${name}:${architecture}` : name,
    stanza: fields.trim(),
    control,
    ...data,
  };
}

/** A field's first line. */
export function fieldOf(stanza: string, field: string): string {
  return new RegExp(`^${field}:[ \\t]*(.*)$`, "mi").exec(stanza)?.[1]?.trim() ?? "";
}

async function readControl(deb: string, signal?: AbortSignal): Promise<Map<string, ControlFile>> {
  const files = new Map<string, ControlFile>();
  const archive = member(deb, "--ctrl-tarfile", signal);
  for await (const entry of readTar(archive.output)) {
    const name = entry.name.replace(/^\.\//, "");
    if (entry.type !== "file" || name.includes("/")) continue;
    files.set(name, { content: await entry.bytes(CONTROL_LIMIT), executable: SCRIPTS.has(name) });
  }
  await archive.done;
  return files;
}

async function unpackData(
  deb: string,
  listed: ReadonlySet<string>,
  { workers, tree, exclude, signal }: Unpacking,
): Promise<PackageData> {
  const archive = member(deb, "--fsys-tarfile", signal);
  const [toWorker, toReader] = [
    new PassThrough({ highWaterMark: 1 << 20 }),
    new PassThrough({ highWaterMark: 1 << 20 }),
  ];
  archive.output.on("error", (error) => {
    toWorker.destroy(error);
    toReader.destroy(error);
  });
  archive.output.pipe(toWorker);
  archive.output.pipe(toReader);
  const into = { kind: "dir", path: tree } as const;
  const [, found] = await Promise.all([
    workers.untar(toWorker, into, { whiteouts: "plain", keepLinks: true, exclude }),
    readNames(toReader, listed),
    archive.done,
  ]);
  return found;
}

async function readNames(data: Readable, listed: ReadonlySet<string>): Promise<PackageData> {
  const paths: string[] = [];
  const conffiles: Conffile[] = [];
  let newest = 0;
  for await (const entry of readTar(data)) {
    const path = entry.name.replace(/^\.?\/*/, "/").replace(/\/$/, "");
    paths.push(path === "" ? "/." : path);
    newest = Math.max(newest, entry.mtime);
    if (!listed.has(path) || entry.type !== "file") continue;
    const hash = createHash("md5");
    for await (const piece of entry.content()) hash.update(piece);
    conffiles.push({ path, md5: hash.digest("hex") });
  }
  return { paths, conffiles, newest };
}

/** A package's inner archive, decompressed by dpkg-deb, which knows all the forms there were. */
function member(deb: string, which: string, signal?: AbortSignal): { output: Readable; done: Promise<void> } {
  const child = spawn("dpkg-deb", [which, deb], {
    stdio: ["ignore", "pipe", "ignore"],
    ...(signal === undefined ? {} : { signal }),
  });
  const done = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      if (status === 0) resolve();
      else reject(new EngineError("unavailable", `dpkg-deb ${which} ${deb}: exit ${status}`));
    });
  });
  done.catch(() => {});
  return { output: child.stdout, done };
}
