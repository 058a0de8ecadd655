/**
 * Results of steps as files, to be taken to another machine: `steps/<key>.json` and the layers as archives. Keys hang
 * on content only, so what was built there is found here.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { access, mkdir, readFile, rename } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createZstdCompress, createZstdDecompress } from "node:zlib";
import { EngineError } from "../errors.ts";
import type { Images } from "../images/images.ts";
import type { Lease } from "../images/leases.ts";
import { writeDurably } from "../store/records.ts";
import type { StepCache, StepRecord } from "./cache.ts";

export interface CacheDirectory {
  readonly type: "local";
  /** Absolute. */
  readonly path: string;
}

/** @throws {EngineError} invalid for another kind of cache, or a place that is none */
export function checkCaches(caches: readonly CacheDirectory[]): void {
  for (const { type, path } of caches) {
    if (type !== "local")
      throw new EngineError("invalid", `a cache of type "${type}" is not supported: local only`);
    if (typeof path !== "string" || !isAbsolute(path))
      throw new EngineError("invalid", "a local cache needs an absolute path");
  }
}

/** Writes results and their layers; what is there already stays. */
export async function exportCache(
  directory: string,
  records: readonly StepRecord[],
  images: Images,
): Promise<void> {
  await mkdir(join(directory, "steps"), { recursive: true });
  await mkdir(join(directory, "layers"), { recursive: true });
  for (const record of records) {
    const archive = archiveOf(directory, record.diffId);
    if (!(await exists(archive))) {
      await pipeline(
        await images.packLayer(record.diffId),
        createZstdCompress(),
        createWriteStream(`${archive}.tmp`),
      );
      await rename(`${archive}.tmp`, archive);
    }
    await writeDurably(join(directory, "steps", `${record.key}.json`), `${JSON.stringify(record)}\n`, 0o644);
  }
}

/**
 * Takes over the result of one step, where a directory has it.
 *
 * @returns undefined where none has; a result that is broken counts as none
 */
export async function importStep(
  directories: readonly string[],
  key: string,
  cache: StepCache,
  images: Images,
  lease: Lease,
): Promise<StepRecord | undefined> {
  for (const directory of directories) {
    const record = await readRecord(join(directory, "steps", `${key}.json`), key);
    if (record === undefined) continue;
    lease.hold(record.diffId);
    if (images.layer(record.diffId) === undefined) {
      try {
        const archive = createReadStream(archiveOf(directory, record.diffId));
        const plain = createZstdDecompress();
        archive.once("error", (error) => plain.destroy(error));
        // Refused unless it is what its name says.
        await images.unpackLayer(archive.pipe(plain), record.diffId);
      } catch {
        continue;
      }
    }
    await cache.put(record);
    return record;
  }
  return undefined;
}

async function readRecord(path: string, key: string): Promise<StepRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(path, "utf8")) as StepRecord;
    const isWhole =
      record.key === key && /^sha256:[0-9a-f]{64}$/.test(record.diffId) && typeof record.id === "string";
    return isWhole ? record : undefined;
  } catch {
    return undefined;
  }
}

function archiveOf(directory: string, diffId: string): string {
  return join(directory, "layers", `${diffId.replace("sha256:", "")}.tar.zst`);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
