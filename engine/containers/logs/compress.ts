import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, unlink } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { messageOf } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { Serial } from "../../store/serial.ts";
import type { Container } from "../container.ts";
import type { Tools } from "../tools.ts";
import { fullFiles } from "./files.ts";
import { logPath, logSettings } from "./settings.ts";

/**
 * Compresses the full files of logs, one after the other. The monitor goes on writing and removes what is too old, in
 * either form; without a daemon, full files wait for the next.
 */
export class LogCompressor {
  readonly #log: Log;
  readonly #serial = new Serial();

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param path the file that is written now, of a log in the numbered layout */
  async compress(path: string): Promise<void> {
    await this.#serial
      .run(path, async () => {
        for (const { number, compressed } of await fullFiles(path)) {
          if (!compressed) await compressFile(`${path}.${number}`);
        }
      })
      .catch((error) => {
        // It stays as it is, and can be read.
        this.#log.warn("a log file could not be compressed", { path, error: messageOf(error) });
      });
  }
}

async function compressFile(path: string): Promise<void> {
  const unfinished = `${path}.gz.tmp`;
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(unfinished, { mode: 0o640 }));
    await rename(unfinished, `${path}.gz`);
    await unlink(path);
  } catch (error) {
    await rm(unfinished, { force: true });
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    // The monitor found it too old meanwhile, or the container was removed.
    await rm(`${path}.gz`, { force: true });
  }
}

/** Begins to compress what is full of a container's log, where its settings want it; failures are logged. */
export function compressLogs(tools: Tools, { record }: Container): void {
  if (logSettings(record.hostConfig)?.compress) void tools.compressor.compress(logPath(tools.paths, record));
}
