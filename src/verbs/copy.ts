import { createWriteStream } from "node:fs";
import { lchown, lstat, mkdir, readFile, readlink, realpath, symlink } from "node:fs/promises";
import { basename, dirname, join, posix, resolve } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { Ignore } from "../build/ignore.ts";
import { packDirectory } from "../build/pack.ts";
import { tarOf } from "../build/tar.ts";
import { readTar } from "../build/untar.ts";
import type { EngineClient } from "../client/client.ts";
import { isMissing } from "../client/failures.ts";
import { AppError } from "../errors.ts";
import type { ProjectSource } from "../model/types.ts";
import { findContainers, findOne } from "./containers.ts";

/** `SERVICE:PATH` or a path here. */
export interface CopyPlace {
  readonly service: string | undefined;
  readonly path: string;
}

export function readPlace(text: string): CopyPlace {
  const [, service, path] = /^([a-zA-Z0-9._-]+):(.*)$/s.exec(text) ?? [];
  return service === undefined || text.startsWith(".")
    ? { service: undefined, path: text }
    : { service, path: path! };
}

export interface CopyOptions {
  readonly archive: boolean; // keep the owners
  readonly followLink: boolean; // copy what a link leads to
}

/** Copies files between here and a service's container: out of the first, into all, or with the one of that number. */
export async function copy(
  source: ProjectSource,
  from: CopyPlace,
  to: CopyPlace,
  options: CopyOptions & { readonly index: number | undefined },
  engine: EngineClient,
): Promise<void> {
  const { index } = options;
  const find = async (service: string, all: boolean): Promise<readonly string[]> => {
    if (!all) return [(await findOne(source, service, index, engine)).id];
    const { containers } = await findContainers(source, [service], engine);
    const targets = containers.filter(({ number }) => index === undefined || number === index);
    if (targets.length === 0) await findOne(source, service, index, engine);
    return targets.map(({ id }) => id);
  };
  await copyBetween(from, to, find, options, engine);
}

/**
 * @param find the containers that a name stands for; all of them, where it is copied to
 * @throws {AppError} USAGE unless exactly one side is in a container; SOURCE_MISSING
 */
export async function copyBetween(
  from: CopyPlace,
  to: CopyPlace,
  find: (name: string, all: boolean) => Promise<readonly string[]>,
  options: CopyOptions,
  engine: EngineClient,
): Promise<void> {
  if ((from.service === undefined) === (to.service === undefined)) {
    throw new AppError("USAGE", "exactly one of the two is in a container", {
      hint: "Such as `slipway cp web:/app/log .`.",
    });
  }
  if (from.service !== undefined) {
    const [id = ""] = await find(from.service, false);
    const path = options.followLink ? await followed(id, from.path, engine) : from.path;
    if (to.path === "-")
      await pipeline((await engine.getArchive(id, path)).tar, process.stdout, { end: false });
    else await copyOut(id, path, resolve(to.path), options, engine);
    return;
  }
  const ids = await find(to.service!, true);
  const owners = { copyUidGid: options.archive };
  if (from.path === "-") {
    // Standard input comes once: for several containers it has to be kept.
    const tar = ids.length === 1 ? process.stdin : await buffer(process.stdin);
    for (const id of ids) await engine.putArchive(id, to.path, tar, owners);
    return;
  }
  const path = options.followLink ? await realpath(from.path).catch(() => from.path) : from.path;
  for (const id of ids) await copyIn(resolve(path), id, to.path, options, engine);
}

/** Where a link in a container leads to. */
async function followed(id: string, path: string, engine: EngineClient): Promise<string> {
  const { linkTarget } = await engine.statPath(id, path);
  return linkTarget === "" ? path : posix.resolve(posix.dirname(path), linkTarget);
}

async function copyOut(
  id: string,
  path: string,
  target: string,
  { archive }: CopyOptions,
  engine: EngineClient,
): Promise<void> {
  const { tar, stat } = await engine.getArchive(id, path);
  const directory = await lstat(target).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const root = directory ? join(target, stat.name) : target;
  for await (const { header, content } of readTar(tar)) {
    // The first name of every entry is the copied thing itself.
    const rest = header.path.split("/").slice(1).join("/");
    const place = rest === "" ? root : join(root, rest);
    if (place !== root && !place.startsWith(`${root}/`))
      throw new AppError("ENGINE_FAILED", `${header.path} leaves the archive`);
    if (header.kind === "directory") await mkdir(place, { recursive: true, mode: header.mode });
    else if (header.kind === "symlink") await symlink(header.target ?? "", place);
    else {
      await mkdir(dirname(place), { recursive: true });
      await pipeline(content, createWriteStream(place, { mode: header.mode }));
    }
    if (archive) await lchown(place, header.uid, header.gid);
  }
}

async function copyIn(
  path: string,
  id: string,
  target: string,
  { archive }: CopyOptions,
  engine: EngineClient,
): Promise<void> {
  const stat = await lstat(path).catch((cause: unknown) => {
    throw new AppError("SOURCE_MISSING", `${path} does not exist`, { cause });
  });
  const into = target.endsWith("/") || (await isDirectory(id, target, engine));
  const parent = into ? target : posix.dirname(target);
  const name = into ? basename(path) : posix.basename(target);
  if (stat.isDirectory()) {
    const inside = posix.join(parent, name);
    const owner = archive ? { uid: stat.uid, gid: stat.gid } : {};
    const folder = tarOf([{ path: inside, kind: "directory", mode: stat.mode & 0o7777, ...owner }]);
    await engine.putArchive(id, "/", folder, { copyUidGid: archive });
    const tar = Readable.from(packDirectory(path, new Ignore(""), new Set()));
    await engine.putArchive(id, inside, tar, { copyUidGid: archive });
    return;
  }
  const owner = archive ? { uid: stat.uid, gid: stat.gid } : {};
  const common = { path: name, mode: stat.mode & 0o7777, mtime: stat.mtimeMs / 1000, ...owner };
  const entry = stat.isSymbolicLink()
    ? ({ ...common, kind: "symlink", target: await readlink(path) } as const)
    : ({ ...common, kind: "file", content: await readFile(path) } as const);
  await engine.putArchive(id, parent, tarOf([entry]), { copyUidGid: archive });
}

async function isDirectory(id: string, path: string, engine: EngineClient): Promise<boolean> {
  try {
    // Go's FileMode has the kind of file in its upper bits.
    return (await engine.statPath(id, path)).mode >>> 31 === 1;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
