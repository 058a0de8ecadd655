import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { AppError } from "../errors.ts";

/**
 * An archive to send to the engine.
 *
 * @param instead the kind of source that a directory would be
 * @throws {AppError} SOURCE_MISSING, USAGE for a directory
 */
export async function archiveFile(path: string, instead: "oci-layout" | "dir"): Promise<Readable> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new AppError("SOURCE_MISSING", `${path} is not there`, { cause });
  });
  if (found.isDirectory()) {
    throw new AppError("USAGE", `${path} is a directory, and no archive`, {
      hint: `\`slipway image pull NAME --from ${instead}:${path}\` takes an image from it.`,
    });
  }
  return createReadStream(path, { highWaterMark: 1 << 20 });
}
