/** `docker cp`: files out of and into a container, running or not. No program of the container takes part in it. */
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { EngineError } from "../errors.ts";
import { decompress } from "../images/decompress.ts";
import type { FileStat } from "../native/trees.ts";
import type { Container } from "./container.ts";
import { userFiles } from "./run-in.ts";
import { formatTime } from "./time.ts";
import { emit, type Tools } from "./tools.ts";
import { containerTree } from "./tree.ts";
import { resolveUser } from "./users.ts";

/** What the header X-Docker-Container-Path-Stat says, in its own names. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's FileMode: permission bits below, kinds from the top. */
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}

export interface CopyInOptions {
  /** Refuse to put a file over a directory or a directory over a file. */
  readonly keepKinds: boolean;
  /** Give all to the container's user. */
  readonly ownByUser: boolean;
}

/** @throws {EngineError} notFound */
export async function statPath(tools: Tools, container: Container, path: string): Promise<PathStat> {
  const found = await look(tools, container, path);
  return pathStat(posix.basename(clean(path)) || "/", found);
}

/** A tar of a file or directory, under the last part of its path. @throws {EngineError} notFound */
export async function copyOut(
  tools: Tools,
  container: Container,
  path: string,
): Promise<{ readonly stat: PathStat; readonly archive: Readable }> {
  const found = await look(tools, container, path);
  const cleaned = clean(path);
  const name = /(^|\/)\.\/?$/.test(path) || cleaned === "/" ? "." : posix.basename(cleaned);
  // The kernel's own file systems have no place in an archive, and no end.
  const oneFileSystem = cleaned === "/" || /^\/(proc|sys|dev)(\/|$)/.test(cleaned);
  const archive = tools.workers.tar(containerTree(tools, container), {
    path: found.path,
    name,
    oneFileSystem,
  });
  emit(tools, container, "archive-path");
  return { stat: pathStat(posix.basename(cleaned) || "/", found), archive };
}

/**
 * Unpacks a tar, compressed or not, into a directory.
 *
 * @throws {EngineError} notFound if the directory is absent, invalid if it is none, forbidden where nothing may be
 * written
 */
export async function copyIn(
  tools: Tools,
  container: Container,
  path: string,
  archive: Readable,
  options: CopyInOptions,
): Promise<void> {
  const found = await look(tools, container, path.endsWith("/") ? path : `${path}/`);
  if (found.type !== "dir") throw new EngineError("invalid", "extraction point is not a directory");
  refuseReadonly(container, posix.join("/", found.path));
  const { stream } = await decompress(archive);
  const owner = options.ownByUser ? await userOf(tools, container) : undefined;
  await tools.workers.untar(stream, containerTree(tools, container), {
    path: found.path,
    whiteouts: "plain",
    keepKinds: options.keepKinds,
    ...(owner === undefined ? {} : { owner }),
  });
  emit(tools, container, "extract-to-dir");
}

async function look(
  tools: Tools,
  container: Container,
  path: string,
): Promise<FileStat & { readonly path: string }> {
  if (path === "") throw new EngineError("invalid", "bad parameter: path cannot be empty");
  // `a/` and `a/.` mean the directory that a link leads to, `a` the link itself.
  const follow = /\/\.?$/.test(path);
  const found = await tools.workers.stat(containerTree(tools, container), clean(path), { follow });
  if (found === undefined) {
    const asked = path.replace(/(.)\/$/, "$1");
    throw new EngineError("notFound", `Could not find the file ${asked} in container ${container.name}`);
  }
  return found;
}

function clean(path: string): string {
  const normal = posix.normalize(`/${path}`);
  return normal.length > 1 ? normal.replace(/\/$/, "") : normal;
}

function refuseReadonly(container: Container, path: string): void {
  const { mounts, hostConfig } = container.record;
  const mount = mounts.findLast(
    ({ Destination }) => path === Destination || path.startsWith(`${Destination}/`),
  );
  if (mount !== undefined && !mount.RW)
    throw new EngineError("forbidden", "mounted volume is marked read-only");
  if (mount === undefined && hostConfig.ReadonlyRootfs) {
    throw new EngineError("forbidden", "container rootfs is marked read-only");
  }
}

async function userOf(
  tools: Tools,
  container: Container,
): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  const user = container.record.config.User ?? "";
  if (user === "") return undefined;
  const { passwd, group } = await userFiles(tools, container, user);
  return resolveUser(user, passwd, group);
}

const KINDS: Readonly<Record<FileStat["type"], number>> = {
  file: 0,
  dir: 2 ** 31,
  symlink: 2 ** 27,
  block: 2 ** 26,
  char: 2 ** 26 + 2 ** 21,
  fifo: 2 ** 25,
  socket: 2 ** 24,
};

function pathStat(name: string, found: FileStat): PathStat {
  const special =
    (found.mode & 0o4000 ? 2 ** 23 : 0) +
    (found.mode & 0o2000 ? 2 ** 22 : 0) +
    (found.mode & 0o1000 ? 2 ** 20 : 0);
  return {
    name,
    size: found.size,
    mode: KINDS[found.type] + special + (found.mode & 0o777),
    mtime: formatTime(found.mtimeNs),
    linkTarget: found.linkTarget,
  };
}
