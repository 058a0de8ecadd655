import { createWriteStream } from "node:fs";
import { lstat, mkdir, readFile, readlink, symlink } from "node:fs/promises";
import { basename, dirname, join, posix, resolve } from "node:path";
import { Readable } from "node:stream";
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

/**
 * Copies files between here and a service's container, as `cp -a` would.
 *
 * @throws {AppError} USAGE unless exactly one side is a service; SOURCE_MISSING
 */
export async function copy(
  source: ProjectSource,
  from: CopyPlace,
  to: CopyPlace,
  index: number | undefined,
  engine: EngineClient,
): Promise<void> {
  if ((from.service === undefined) === (to.service === undefined)) {
    throw new AppError("USAGE", "exactly one of the two is SERVICE:PATH", {
      hint: "Such as `slipway cp web:/app/log .`.",
    });
  }
  if (from.service !== undefined) {
    const { id } = await findOne(source, from.service, index, engine);
    await copyOut(id, from.path, resolve(to.path), engine);
    return;
  }
  const { containers } = await findContainers(source, [to.service!], engine);
  const targets = containers.filter(({ number }) => index === undefined || number === index);
  if (targets.length === 0) await findOne(source, to.service!, index, engine);
  for (const { id } of targets) await copyIn(resolve(from.path), id, to.path, engine);
}

async function copyOut(id: string, path: string, target: string, engine: EngineClient): Promise<void> {
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
  }
}

async function copyIn(path: string, id: string, target: string, engine: EngineClient): Promise<void> {
  const stat = await lstat(path).catch((cause: unknown) => {
    throw new AppError("SOURCE_MISSING", `${path} does not exist`, { cause });
  });
  const into = target.endsWith("/") || (await isDirectory(id, target, engine));
  const parent = into ? target : posix.dirname(target);
  const name = into ? basename(path) : posix.basename(target);
  if (stat.isDirectory()) {
    const inside = posix.join(parent, name);
    const folder = tarOf([{ path: inside, kind: "directory", mode: stat.mode & 0o7777 }]);
    await engine.putArchive(id, "/", folder);
    await engine.putArchive(id, inside, Readable.from(packDirectory(path, new Ignore(""), new Set())));
    return;
  }
  const common = { path: name, mode: stat.mode & 0o7777, mtime: stat.mtimeMs / 1000 };
  const entry = stat.isSymbolicLink()
    ? ({ ...common, kind: "symlink", target: await readlink(path) } as const)
    : ({ ...common, kind: "file", content: await readFile(path) } as const);
  await engine.putArchive(id, parent, tarOf([entry]));
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
