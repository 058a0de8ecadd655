import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { EngineError } from "../errors.ts";
import { decodeFacts, FACTS } from "./facts.ts";
import { decodeName } from "./names.ts";
import { type Change, distinctLayers, type FileStat, type TreeRoot, type WalkEntry } from "./trees.ts";
import { encodeRaw, type RawOp } from "./wire.ts";
import { answer, feed, pieces, send } from "./worker-connection.ts";
import type {
  CopyOptions,
  DiskSize,
  Identity,
  MakeDirectoryOptions,
  Skipped,
  TarOptions,
  TreeSize,
  Unpacked,
  UntarOptions,
  Workers,
  WriteOptions,
} from "./workers.ts";
import type { Field } from "./writer.ts";

/** How a job is started: the spawner, or a test's own. */
export interface Jobs {
  connect(request: Buffer): Promise<Socket>;
}

/** native/workers.c has the other end of this table. */
const kind = {
  untar: 32,
  tar: 33,
  walk: 34,
  stat: 35,
  read: 36,
  write: 37,
  mkdir: 38,
  remove: 39,
  copy: 40,
  changes: 41,
  spread: 42,
  rebuild: 43,
  scan: 50,
  identify: 51,
};
const code = {
  tree: 300,
  untar: 301,
  tar: 302,
  walk: 303,
  copy: 304,
  changes: 305,
  rebuild: 306,
  file: 310,
  scan: 330,
};

const TREE_KIND = { dir: 0, overlay: 1, process: 2 };
/** As native/copy.c has them. */
const TIME = { kept: 0, given: 1, latest: 2 };
const NEW_DIRECTORY = 0o755;
const NEW_FILE = 0o644;
const READ_LIMIT = 16 << 20;

/** The workers of the native program. */
export class NativeWorkers implements Workers {
  readonly #jobs: Jobs;

  constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  async untar(archive: AsyncIterable<Buffer>, into: TreeRoot, options: UntarOptions): Promise<Unpacked> {
    const { owner, exclude = [] } = options;
    const socket = await this.#start(kind.untar, tree(into), {
      code: code.untar,
      fields: [
        options.whiteouts === "overlay",
        options.keepKinds === true,
        options.keepLinks === true,
        options.concatenated === true,
        owner !== undefined,
        owner?.uid ?? 0,
        owner?.gid ?? 0,
        options.path ?? "",
        ...list(exclude),
        options.entryLimit ?? 0,
        options.byteLimit ?? 0,
        options.recipe !== undefined,
      ],
    });
    const { recipe: listen, ownBuffers } = options;
    const found = await feed(socket, archive, { listen, ownBuffers });
    const archiveBytes = Number(found.readBigUInt64LE(16));
    return { ...size(found), archiveBytes, digest: `sha256:${found.toString("hex", 24)}` };
  }

  rebuild(root: TreeRoot, recipe: Readable): Readable {
    return Readable.from(this.#rebuild(root, recipe), { objectMode: false, highWaterMark: 1 << 20 });
  }

  async *#rebuild(root: TreeRoot, recipe: Readable): AsyncGenerator<Buffer> {
    const socket = await this.#start(kind.rebuild, tree(root), { code: code.rebuild, fields: [] });
    // Its failure cuts the stream, which the worker then calls broken.
    send(socket, recipe).catch((error: Error) => socket.destroy(error));
    yield* pieces(socket);
  }

  tar(root: TreeRoot, options: TarOptions = {}): Readable {
    return Readable.from(this.#tar(root, options), { objectMode: false, highWaterMark: 1 << 20 });
  }

  async *#tar(root: TreeRoot, options: TarOptions): AsyncGenerator<Buffer> {
    const { owner } = options;
    const fields = [
      options.path ?? "",
      options.name !== undefined,
      options.name ?? "",
      options.whiteouts === "layer",
      options.mtime !== undefined,
      options.mtime ?? 0,
      options.oneFileSystem === true,
      owner !== undefined,
      owner?.uid ?? 0,
      owner?.gid ?? 0,
    ];
    yield* pieces(await this.#start(kind.tar, tree(root), { code: code.tar, fields }));
  }

  async *walk(root: TreeRoot, path = ""): AsyncGenerator<WalkEntry> {
    const socket = await this.#start(kind.walk, tree(root), { code: code.walk, fields: [path, false] });
    let rest: Buffer = Buffer.alloc(0);
    for await (const piece of pieces(socket)) {
      rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      let at = 0;
      // An entry: u16 path | u16 link | facts | path | link
      while (rest.length - at >= 4) {
        const pathBytes = rest.readUInt16LE(at);
        const linkBytes = rest.readUInt16LE(at + 2);
        const end = at + 4 + FACTS + pathBytes + linkBytes;
        if (end > rest.length) break;
        const text = at + 4 + FACTS;
        yield {
          ...decodeFacts(rest, at + 4),
          path: decodeName(rest, text, text + pathBytes),
          linkTarget: decodeName(rest, text + pathBytes, end),
        };
        at = end;
      }
      rest = Buffer.from(rest.subarray(at));
    }
  }

  async identify(root: TreeRoot): Promise<Identity> {
    const found = await answer(await this.#start(kind.identify, tree(root)));
    return {
      bytes: Number(found.readBigUInt64LE(0)),
      archiveBytes: Number(found.readBigUInt64LE(8)),
      digest: `sha256:${found.toString("hex", 16)}`,
    };
  }

  async scan(root: TreeRoot, skip: Skipped): Promise<Buffer> {
    const fields = [...list(skip.paths), ...list(skip.names)];
    const chunks: Buffer[] = [];
    for await (const piece of pieces(await this.#start(kind.scan, tree(root), { code: code.scan, fields })))
      chunks.push(piece);
    return Buffer.concat(chunks);
  }

  async measure(root: TreeRoot, path = ""): Promise<DiskSize> {
    const socket = await this.#start(kind.walk, tree(root), { code: code.walk, fields: [path, true] });
    let result: Buffer | undefined;
    for await (const _ of pieces(socket, (payload) => (result = Buffer.from(payload))));
    const sum = result as Buffer;
    return { ...size(sum), disk: Number(sum.readBigUInt64LE(16)) };
  }

  async stat(
    root: TreeRoot,
    path: string,
    options: { follow?: boolean } = {},
  ): Promise<(FileStat & { readonly path: string }) | undefined> {
    const found = await this.#file(kind.stat, root, [path, options.follow === true]);
    if (found.readUInt8(0) === 0) return undefined;
    const [linkTarget = "", resolved = ""] = decodeName(found, 1 + FACTS).split("\0");
    return { ...decodeFacts(found, 1), linkTarget, path: resolved };
  }

  async read(root: TreeRoot, path: string, limit = READ_LIMIT): Promise<Buffer> {
    return this.#file(kind.read, root, [path, limit]);
  }

  async write(
    root: TreeRoot,
    path: string,
    content: Buffer | string,
    options: WriteOptions = {},
  ): Promise<void> {
    const { mode = NEW_FILE, uid = 0, gid = 0 } = options;
    await this.#file(kind.write, root, [path, mode, uid, gid, Buffer.from(content)]);
  }

  async makeDirectory(root: TreeRoot, path: string, options: MakeDirectoryOptions = {}): Promise<void> {
    const { mode = NEW_DIRECTORY, uid = 0, gid = 0 } = options;
    await this.#file(kind.mkdir, root, [path, mode, uid, gid]);
  }

  async spread(root: TreeRoot, path: string): Promise<void> {
    await this.#file(kind.spread, root, [path]);
  }

  async remove(root: TreeRoot, path: string): Promise<void> {
    await this.#file(kind.remove, root, [path]);
  }

  async copy(from: TreeRoot, to: TreeRoot, options: CopyOptions): Promise<TreeSize> {
    const { owner, mode, mtime = "keep" } = options;
    const only = options.only;
    const fields: Field[] = [
      ...list(options.items.flatMap((item) => [item.source, item.target, item.contents ? "contents" : ""])),
      ...list(options.exclude ?? []),
      only !== undefined,
      ...list(only ?? []),
      owner !== undefined,
      owner?.uid ?? 0,
      owner?.gid ?? 0,
      mode === undefined ? "" : typeof mode === "number" ? mode.toString(8) : mode,
      mtime === "keep" ? TIME.kept : typeof mtime === "number" ? TIME.given : TIME.latest,
      mtime === "keep" ? 0 : typeof mtime === "number" ? mtime : mtime.latest,
      options.link === true,
    ];
    return size(
      await answer(await this.#start(kind.copy, tree(from), tree(to), { code: code.copy, fields })),
    );
  }

  async changes(upper: string, lowers: readonly string[]): Promise<Change[]> {
    const base: TreeRoot = lowers.length === 0 ? { kind: "dir", path: upper } : { kind: "overlay", lowers };
    const ops = [
      tree({ kind: "dir", path: upper }),
      tree(base),
      { code: code.changes, fields: [lowers.length > 0] },
    ];
    const kinds = ["modified", "added", "deleted"] as const;
    const text: Buffer[] = [];
    for await (const piece of pieces(await this.#start(kind.changes, ...ops))) text.push(Buffer.from(piece));
    // Each: "0", "1" or "2" and the path, ended by NUL.
    return decodeName(Buffer.concat(text))
      .split("\0")
      .filter((entry) => entry !== "")
      .map((entry) => ({ kind: kinds[Number(entry[0])] ?? "modified", path: `/${entry.slice(1)}` }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async #file(job: number, root: TreeRoot, fields: readonly Field[]): Promise<Buffer> {
    return answer(await this.#start(job, tree(root), { code: code.file, fields }));
  }

  async #start(job: number, ...ops: readonly RawOp[]): Promise<Socket> {
    const socket = await this.#jobs.connect(encodeRaw(job, ops));
    // A reset connection is reported by the reading side, as a worker that went away.
    socket.on("error", () => {});
    return socket;
  }
}

function tree(root: TreeRoot): RawOp {
  const overlay = root.kind === "overlay" ? root : undefined;
  const binds = (overlay?.binds ?? []).flatMap((bind) => [
    bind.source,
    bind.target,
    bind.readonly ? "ro" : "rw",
  ]);
  if (overlay?.upper !== undefined && overlay.work === undefined) {
    throw new EngineError("system", "an overlay with an upper directory has no work directory");
  }
  return {
    code: code.tree,
    fields: [
      TREE_KIND[root.kind],
      root.kind === "dir" ? root.path : "",
      root.kind === "process" ? root.pid : 0,
      ...list(distinctLayers(overlay?.lowers ?? [])),
      overlay?.upper ?? "",
      overlay?.work ?? "",
      ...list(binds),
    ],
  };
}

function list(items: readonly string[]): Field[] {
  return [items.length, ...items];
}

function size(payload: Buffer): TreeSize {
  return { entries: Number(payload.readBigUInt64LE(0)), bytes: Number(payload.readBigUInt64LE(8)) };
}
