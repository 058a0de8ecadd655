import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import type { Ignore } from "./ignore.ts";
import { TAR_END, type TarEntry, tarHeader, tarOf, tarPadding } from "./tar.ts";

/** A file of the archive that is not in the directory. */
export interface ExtraFile {
  readonly path: string;
  readonly content: Buffer;
}

/**
 * A directory as a tar, read while it is sent: the build context of engines that cannot read it themselves.
 *
 * @param keep paths that go along even if they are ignored: the Dockerfile and the ignore file
 */
export function packDirectory(
  directory: string,
  ignore: Ignore,
  keep: ReadonlySet<string>,
  extra: readonly ExtraFile[] = [],
): Readable {
  return Readable.from(chunks(directory, ignore, keep, extra));
}

async function* chunks(
  directory: string,
  ignore: Ignore,
  keep: ReadonlySet<string>,
  extra: readonly ExtraFile[],
): AsyncGenerator<Buffer> {
  for await (const path of walk(directory, directory, ignore, keep))
    yield* entry(path, relative(directory, path));
  if (extra.length === 0) yield TAR_END;
  else yield tarOf(extra.map(({ path, content }) => ({ path, content, kind: "file", mode: 0o644 })));
}

/** Paths in a stable order, directories before what is in them. */
async function* walk(
  root: string,
  directory: string,
  ignore: Ignore,
  keep: ReadonlySet<string>,
): AsyncGenerator<string> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const found of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, found.name);
    const name = relative(root, path);
    const ignored = ignore.ignores(name) && !keep.has(name);
    if (!ignored) yield path;
    const needed = [...keep].some((kept) => kept.startsWith(`${name}/`));
    if (found.isDirectory() && (!ignored || ignore.mayKeepBeneath() || needed))
      yield* walk(root, path, ignore, keep);
  }
}

async function* entry(path: string, name: string): AsyncGenerator<Buffer> {
  const stat = await lstat(path);
  const common = { path: name, mode: stat.mode & 0o7777, mtime: stat.mtimeMs / 1000 };
  if (stat.isDirectory()) yield tarHeader({ ...common, kind: "directory" });
  else if (stat.isSymbolicLink())
    yield tarHeader({ ...common, kind: "symlink", target: await readlink(path) });
  else if (stat.isFile()) yield* file(path, { ...common, kind: "file", size: stat.size });
  // Sockets, pipes and devices have no place in a build context.
}

/** A file may grow or shrink while it is read; the archive holds exactly the size that its header says. */
async function* file(path: string, header: TarEntry & { readonly size: number }): AsyncGenerator<Buffer> {
  yield tarHeader(header);
  let left = header.size;
  if (left > 0) {
    for await (const chunk of createReadStream(path, { end: left - 1 })) {
      left -= (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
  if (left > 0) yield Buffer.alloc(left);
  yield tarPadding(header.size);
}
