/**
 * Blobs that another data root of this machine has. A registry of ours that is asked over loopback says where its blobs
 * lie; who may read and link them there needs no second copy. What a file holds is verified as if it had been sent.
 */
import { constants, copyFile, link, lstat, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { hexOf } from "../digest.ts";
import type { Descriptor } from "./manifest.ts";

/** Asks for the directory, in a request; and names it, in the answer. */
export const SHARE_HEADER = "slipway-blobs";

/** Nobody else may write there: of a mode. */
const OTHERS_WRITE = 0o022;

/**
 * Takes a blob over: as a copy that shares its disk blocks (reflink), else as a further name of the file (hard link).
 * Stores write a blob once and then only rename or unlink it, so that a shared one cannot change.
 *
 * @param directory that the registry named
 * @param own where the file will be, on the file system of our blobs; nothing is there yet
 * @returns whether it is there; if not, it has to be downloaded
 */
export async function shareBlob(
  directory: string,
  { digest, size }: Descriptor,
  own: string,
): Promise<boolean> {
  const theirs = join(directory, hexOf(digest));
  await rm(own, { force: true });
  try {
    if (!(await isOurs(directory, theirs, size))) return false;
    await copyFile(theirs, own, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL).catch(
      async () => {
        await rm(own, { force: true });
        await link(theirs, own);
      },
    );
    return true;
  } catch {
    // Another file system, another mount namespace, a file that is gone: all mean that nothing can be shared.
    return false;
  }
}

/** Only files of our own user, in a directory that nobody else can put anything into; no link on the way. */
async function isOurs(directory: string, path: string, size: number): Promise<boolean> {
  const user = process.geteuid?.();
  const [folder, file] = await Promise.all([lstat(directory), lstat(path)]);
  const isPrivate = [folder, file].every(({ uid, mode }) => uid === user && (mode & OTHERS_WRITE) === 0);
  return isPrivate && file.isFile() && file.size === size && (await realpath(directory)) === directory;
}

/** Whether the other end of a connection is on this machine. */
export function isLocal(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address);
}
