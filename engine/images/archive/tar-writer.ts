/** An entry of an archive that is made here: the engine's own small files, and blobs in an image archive. */
export interface NewEntry {
  readonly name: string; // at most 100 bytes for links and directories, 255 with a slash well placed
  readonly size?: number; // bytes
  readonly mode?: number; // default 0o644, 0o755 for directories
  readonly mtime?: number; // seconds, default 0
  readonly link?: string; // makes it a symbolic link
  readonly directory?: boolean;
}

const BLOCK = 512;

/** The header of an entry; its content and `padding` follow. @throws {RangeError} if the name is too long */
export function tarHeader(entry: NewEntry): Buffer {
  const { name, size = 0, link, directory = false, mtime = 0 } = entry;
  const mode = entry.mode ?? (directory ? 0o755 : link === undefined ? 0o644 : 0o777);
  if (Buffer.byteLength(name) > 100 || (link !== undefined && Buffer.byteLength(link) > 100)) {
    return Buffer.concat([
      longName(name, link),
      tarHeader({ ...entry, name: shorten(name), ...(link === undefined ? {} : { link: shorten(link) }) }),
    ]);
  }
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  octal(block, 100, 8, mode);
  octal(block, 108, 8, 0);
  octal(block, 116, 8, 0);
  octal(block, 124, 12, size);
  octal(block, 136, 12, mtime);
  block.write(directory ? "5" : link === undefined ? "0" : "2", 156);
  if (link !== undefined) block.write(link, 157);
  block.write("ustar\0" + "00", 257, "latin1");
  block.fill(" ", 148, 156);
  octal(
    block,
    148,
    7,
    block.reduce((sum, byte) => sum + byte, 0),
  );
  return block;
}

/** Zeros after content of `size` bytes. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

/** A whole small file. */
export function tarFile(
  name: string,
  content: string | Uint8Array,
  options: Omit<NewEntry, "name" | "size"> = {},
): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([
    tarHeader({ ...options, name, size: bytes.length }),
    bytes,
    tarPadding(bytes.length),
  ]);
}

function longName(name: string, link: string | undefined): Buffer {
  const records = [
    ...(Buffer.byteLength(name) > 100 ? [paxRecord("path", name)] : []),
    ...(link !== undefined && Buffer.byteLength(link) > 100 ? [paxRecord("linkpath", link)] : []),
  ];
  const data = Buffer.from(records.join(""));
  const header = tarHeader({ name: "PaxHeaders/extended", size: data.length });
  header.write("x", 156);
  header.fill(" ", 148, 156);
  octal(
    header,
    148,
    7,
    header.reduce((sum, byte) => sum + byte, 0),
  );
  return Buffer.concat([header, data, tarPadding(data.length)]);
}

function paxRecord(key: string, value: string): string {
  const body = Buffer.byteLength(` ${key}=${value}\n`);
  let length = body + 1;
  while (body + String(length).length !== length) length = body + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function shorten(text: string): string {
  return Buffer.from(text)
    .subarray(0, 90)
    .toString("latin1")
    .replace(/[^\x20-\x7e]/g, "_");
}

function octal(block: Buffer, at: number, size: number, value: number): void {
  if (value > 8 ** (size - 1) - 1) {
    // GNU's base 256: for blobs of 8 GiB and more.
    block.writeBigUInt64BE(BigInt(value), at + size - 8);
    block.writeUInt8(0x80, at);
    return;
  }
  block.write(value.toString(8).padStart(size - 1, "0"), at);
  block.writeUInt8(0, at + size - 1);
}
