/**
 * Tar archives (ustar, with pax records for what does not fit), for secrets, synced files and build contexts. Only
 * writing: the engine reads them.
 *
 * @see POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"
 */

export interface TarEntry {
  readonly path: string; // relative or absolute, `/` between names
  readonly kind: "file" | "directory" | "symlink";
  readonly mode: number; // permission bits
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number; // seconds since 1970
  readonly size?: number; // bytes, of a file
  readonly target?: string; // of a symlink
}

const BLOCK = 512;
const TYPE = { file: "0", symlink: "2", directory: "5" } as const;

/** A whole archive of small files. */
export function tarOf(files: readonly (TarEntry & { readonly content?: Buffer })[]): Buffer {
  const parts = files.flatMap((file) => {
    const content = file.content ?? Buffer.alloc(0);
    return [tarHeader({ ...file, size: content.length }), content, tarPadding(content.length)];
  });
  return Buffer.concat([...parts, TAR_END]);
}

/** Two empty blocks. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

/** What fills up the last block of a file's content. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** The header of an entry, after a pax header where a name or size needs one. */
export function tarHeader(entry: TarEntry): Buffer {
  const path =
    entry.path.replace(/^\/+/, "") + (entry.kind === "directory" && !entry.path.endsWith("/") ? "/" : "");
  const size = entry.kind === "file" ? (entry.size ?? 0) : 0;
  const pax: [string, string][] = [];
  if (Buffer.byteLength(path) > 100) pax.push(["path", path]);
  if (entry.target && Buffer.byteLength(entry.target) > 100) pax.push(["linkpath", entry.target]);
  if (size >= 8 ** 11) pax.push(["size", String(size)]);
  const own = ustar(path, TYPE[entry.kind], entry, size);
  if (pax.length === 0) return own;
  const records = Buffer.from(pax.map(([key, value]) => paxRecord(key, value)).join(""));
  const header = ustar("PaxHeader", "x", { ...entry, mode: 0o644 }, records.length);
  return Buffer.concat([header, records, tarPadding(records.length), own]);
}

function ustar(path: string, type: string, entry: TarEntry, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, length: number): void => {
    header.write(
      `${value
        .toString(8)
        .padStart(length - 1, "0")
        .slice(-(length - 1))}\0`,
      offset,
      "latin1",
    );
  };
  Buffer.from(path).copy(header, 0, 0, 100);
  octal(entry.mode & 0o7777, 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(size < 8 ** 11 ? size : 0, 124, 12);
  octal(Math.floor(entry.mtime ?? 0), 136, 12);
  header.write(type, 156, "latin1");
  if (entry.target && type === "2") Buffer.from(entry.target).copy(header, 157, 0, 100);
  header.write("ustar\x0000", 257, "latin1");
  // The checksum counts its own field as blanks.
  header.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (String(length).length + Buffer.byteLength(rest) !== length)
    length = String(length).length + Buffer.byteLength(rest);
  return `${length}${rest}`;
}
