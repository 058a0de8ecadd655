/** Where a build's result goes besides the image store: a directory, or an archive. */
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EngineError } from "../errors.ts";
import type { Images } from "../images/images.ts";
import type { TreeRoot } from "../native/trees.ts";
import type { Workers } from "../native/workers.ts";

export type Output =
  /** The image store: the default. */
  | { readonly type: "image" }
  /** The root file system as files; `tar` as one archive. `dest` is absolute. */
  | { readonly type: "local" | "tar"; readonly dest: string }
  /** The image as an archive that `docker load` takes, which is an OCI layout too. */
  | { readonly type: "oci" | "docker"; readonly dest: string };

/** @throws {EngineError} invalid for a kind that is not known or a place that is none */
export function checkOutputs(outputs: readonly Output[]): void {
  for (const output of outputs) {
    if (!["image", "local", "tar", "oci", "docker"].includes(output.type)) {
      throw new EngineError(
        "invalid",
        `the output type "${output.type}" is not supported: image, oci, docker, tar or local`,
      );
    }
    if (output.type !== "image" && !(typeof output.dest === "string" && isAbsolute(output.dest))) {
      throw new EngineError("invalid", `the output type ${output.type} needs dest, an absolute path`);
    }
  }
}

export interface OutputDeps {
  readonly images: Images;
  readonly workers: Workers;
}

/**
 * @param tree the result's root file system
 * @param image its id, for archives of the image
 */
export async function writeOutputs(
  outputs: readonly Output[],
  tree: TreeRoot,
  image: { readonly id: string; readonly tags: readonly string[] },
  { images, workers }: OutputDeps,
): Promise<void> {
  for (const output of outputs) {
    if (output.type === "image") continue;
    if (output.type === "local") {
      await mkdir(output.dest, { recursive: true });
      const items = [{ source: "", target: "", contents: true }];
      await workers.copy(tree, { kind: "dir", path: output.dest }, { items, mtime: "keep" });
    } else if (output.type === "tar") await writeFile(output.dest, workers.tar(tree));
    else await writeFile(output.dest, images.save(image.tags.length > 0 ? image.tags : [image.id]));
  }
}

async function writeFile(path: string, content: Readable): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await pipeline(content, createWriteStream(path));
}
