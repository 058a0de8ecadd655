import type { RemoteFile, Stat } from "./files.ts";

const BLOCK = 512;

/** Go's FileMode bits. */
const GO = {
  directory: 0x80000000,
  symlink: 0x08000000,
  setuid: 0x800000,
  setgid: 0x400000,
  sticky: 0x100000,
};

/**
 * Makes a tar of a client's files, as they come. Devices, sockets and pipes are left out, as a build's context has none.
 *
 * @see pax(1): what does not fit a ustar header goes into a record before it
 */
export async function* packFiles(files: AsyncIterable<RemoteFile>): AsyncGenerator<Buffer> {
  for await (const { stat, content } of files) {
    const type = typeOf(stat);
    if (type === undefined) continue;
    const size = type === "0" ? (stat.size ?? 0) : 0;
    yield* headerOf(stat, type, size);
    let written = 0;
    for await (const chunk of content) {
      // A file that grew while it was read must not spill into the next header.
      const piece = chunk.subarray(0, size - written);
      written += piece.length;
      if (piece.length > 0) yield piece;
    }
    if (written < size) throw new Error(`${stat.path} became shorter while it was read`);
    if (size % BLOCK > 0) yield Buffer.alloc(BLOCK - (size % BLOCK));
  }
  yield Buffer.alloc(2 * BLOCK);
}

function typeOf({ mode = 0, link = "" }: Stat): "0" | "1" | "2" | "5" | undefined {
  if ((mode & GO.directory) !== 0) return "5";
  if ((mode & GO.symlink) !== 0) return "2";
  if ((mode & 0x8f280000) !== 0) return undefined;
  return link === "" ? "0" : "1";
}

function* headerOf(stat: Stat, type: string, size: number): Generator<Buffer> {
  const path = `${(stat.path ?? "").replace(/^\/+/, "")}${type === "5" ? "/" : ""}`;
  const link = stat.link ?? "";
  const seconds = Math.floor((stat.modified ?? 0) / 1e9);
  const records: [string, string][] = [];
  if (Buffer.byteLength(path) > 100) records.push(["path", path]);
  if (Buffer.byteLength(link) > 100) records.push(["linkpath", link]);
  if (size >= 8 ** 11) records.push(["size", String(size)]);
  const { mode = 0, uid = 0, gid = 0 } = stat;
  if (records.length > 0) {
    const body = Buffer.from(records.map(([name, value]) => record(name, value)).join(""));
    yield block({
      path: "pax",
      type: "x",
      size: body.length,
      mode: 0o644,
      uid: 0,
      gid: 0,
      seconds,
      link: "",
    });
    yield Buffer.concat([body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]);
  }
  const special =
    ((mode & GO.setuid) !== 0 ? 0o4000 : 0) |
    ((mode & GO.setgid) !== 0 ? 0o2000 : 0) |
    ((mode & GO.sticky) !== 0 ? 0o1000 : 0);
  yield block({ path, type, size, mode: (mode & 0o777) | special, uid, gid, seconds, link });
}

/** `length name=value\n`, where the length counts itself. */
function record(name: string, value: string): string {
  const rest = ` ${name}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (Buffer.byteLength(`${length}${rest}`) !== length) length = Buffer.byteLength(`${length}${rest}`);
  return `${length}${rest}`;
}

function block(entry: {
  readonly path: string;
  readonly type: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly seconds: number;
  readonly link: string;
}): Buffer {
  const head = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => {
    const largest = 8 ** (length - 1) - 1;
    head.write(
      Math.min(Math.max(value, 0), largest)
        .toString(8)
        .padStart(length - 1, "0"),
      at,
    );
  };
  Buffer.from(entry.path).copy(head, 0, 0, 100);
  octal(entry.mode, 100, 8);
  octal(entry.uid, 108, 8);
  octal(entry.gid, 116, 8);
  octal(entry.size, 124, 12);
  octal(entry.seconds, 136, 12);
  head.write(entry.type, 156);
  Buffer.from(entry.link).copy(head, 157, 0, 100);
  head.write("ustar\u000000", 257);
  // The sum is taken with spaces in its own place.
  head.fill(" ", 148, 156);
  head.write(
    `${head
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  return head;
}
