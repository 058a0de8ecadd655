import type { FileStat, FileType } from "./trees.ts";

const TYPES: readonly FileType[] = ["file", "dir", "symlink", "char", "block", "fifo", "socket"];

/** Bytes of a file's facts on the wire; native/files.h has the layout. */
export const FACTS = 47;

/** Reads the facts of a file as a worker wrote them. */
export function decodeFacts(from: Buffer, at: number): Omit<FileStat, "linkTarget"> {
  return {
    type: TYPES[from.readUInt8(at)] ?? "file",
    mode: from.readUInt16LE(at + 1),
    uid: from.readUInt32LE(at + 3),
    gid: from.readUInt32LE(at + 7),
    size: Number(from.readBigUInt64LE(at + 11)),
    mtimeNs: from.readBigInt64LE(at + 19),
    device: [from.readUInt32LE(at + 27), from.readUInt32LE(at + 31)],
    inode: from.readBigUInt64LE(at + 35),
    links: from.readUInt32LE(at + 43),
  };
}
