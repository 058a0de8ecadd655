/** What goes into a tar; directories end in `/`. */
export interface TarEntry {
  readonly path: string;
  readonly content?: string | Buffer;
  /** A symbolic link's target. */
  readonly link?: string;
  /** Default 0644, 0755 for directories. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

const BLOCK = 512;

/** Makes a ustar archive; names of up to 100 bytes. @see pax(1), "ustar Interchange Format" */
export function makeTar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocksOf), Buffer.alloc(2 * BLOCK)]);
}

function blocksOf(entry: TarEntry): Buffer[] {
  const content = Buffer.from(entry.content ?? "");
  const isDirectory = entry.path.endsWith("/");
  const head = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(entry.path) > 100) throw new RangeError(`too long for ustar: ${entry.path}`);
  head.write(entry.path, 0);
  const octal = (value: number, at: number, length: number): void => {
    head.write(value.toString(8).padStart(length - 1, "0"), at);
  };
  octal(entry.mode ?? (isDirectory ? 0o755 : 0o644), 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  head.write(isDirectory ? "5" : entry.link === undefined ? "0" : "2", 156);
  head.write(entry.link ?? "", 157);
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
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return [head, content, padding];
}
