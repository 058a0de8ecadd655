import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type TarEntry, tarOf } from "../build/tar.ts";
import type { EngineClient } from "../client/client.ts";

export interface SyncFile {
  readonly path: string; // here, absolute
  readonly target: string; // in the container, absolute
}

type Entry = TarEntry & { readonly content?: Buffer };

/**
 * Puts changed files into containers, all of a batch in one archive, and removes those that are gone.
 *
 * @returns how many files were put and removed
 */
export async function syncFiles(
  files: readonly SyncFile[],
  containers: readonly string[],
  engine: EngineClient,
): Promise<number> {
  const read = await Promise.all(files.map(async (file) => ({ file, entry: await entryOf(file) })));
  const entries = read.flatMap(({ entry }) => (entry ? [entry] : []));
  const gone = read.flatMap(({ file, entry }) => (entry ? [] : [file.target]));
  await Promise.all(
    containers.map(async (container) => {
      if (entries.length > 0) await engine.putArchive(container, "/", tarOf(entries));
      if (gone.length > 0) await removeFiles(container, gone, engine);
    }),
  );
  return read.length;
}

/** Every file beneath a path that a rule syncs at the start. */
export async function listFiles(path: string, wanted: (path: string) => boolean): Promise<readonly string[]> {
  const stat = await lstat(path).catch(() => undefined);
  if (!stat || !wanted(path)) return [];
  if (!stat.isDirectory()) return [path];
  const names = await readdir(path);
  const lists = await Promise.all(names.map((name) => listFiles(join(path, name), wanted)));
  return lists.flat();
}

/** undefined: it is not there any more. */
async function entryOf({ path, target }: SyncFile): Promise<Entry | undefined> {
  try {
    const stat = await lstat(path);
    const common = { path: target, mode: stat.mode & 0o7777, mtime: stat.mtimeMs / 1000 };
    if (stat.isDirectory()) return { ...common, kind: "directory" };
    if (stat.isSymbolicLink()) return { ...common, kind: "symlink", target: await readlink(path) };
    return { ...common, kind: "file", content: await readFile(path) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The API has no call that removes a file: the container's own `rm` does. */
async function removeFiles(container: string, paths: readonly string[], engine: EngineClient): Promise<void> {
  const exec = await engine.createExec(container, {
    Cmd: ["rm", "-rf", "--", ...paths],
    User: "0",
    AttachStderr: true,
  });
  const { output } = await engine.startExec(exec, { tty: false });
  for await (const _ of output); // Its end is the end of the output.
}
