/** The files of a container's log: lines of JSON, the newest in `path`, older ones in `path.1`, `path.2`, … */
import { type FileHandle, open } from "node:fs/promises";

export interface LogEntry {
  readonly stream: "stdout" | "stderr";
  /** RFC 3339 with nine digits. */
  readonly time: string;
  /** What was written, with its newline if it had one: a long line is in several entries. */
  readonly text: string;
}

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;

/** An open log file and how far it has been read. */
export class LogFile {
  readonly #handle: FileHandle;
  readonly inode: bigint;
  #offset = 0;
  /** The beginning of a line whose end is not there yet. */
  #rest: Buffer = Buffer.alloc(0);

  private constructor(handle: FileHandle, inode: bigint) {
    this.#handle = handle;
    this.inode = inode;
  }

  /** @returns undefined if there is no such file */
  static async open(path: string): Promise<LogFile | undefined> {
    try {
      const handle = await open(path, "r");
      return new LogFile(handle, (await handle.stat({ bigint: true })).ino);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /**
   * Goes to where the last `lines` lines begin, or to the start if there are fewer.
   *
   * @returns how many lines are left over
   */
  async seekTail(lines: number): Promise<number> {
    let end = (await this.#handle.stat()).size;
    let missing = lines;
    if (lines <= 0) {
      this.#offset = end;
      return 0;
    }
    const buffer = Buffer.allocUnsafe(CHUNK);
    // The newline at the very end closes the last line and begins none.
    let position = end;
    while (position > 0 && missing >= 0) {
      const size = Math.min(CHUNK, position);
      position -= size;
      await this.#handle.read(buffer, 0, size, position);
      for (let at = size - 1; at >= 0; at--) {
        if (buffer[at] !== NEWLINE || position + at + 1 === end) continue;
        missing--;
        if (missing > 0) continue;
        end = position + at + 1;
        this.#offset = end;
        return 0;
      }
    }
    this.#offset = 0;
    return end === 0 ? missing : Math.max(0, missing - 1);
  }

  /** The entries that are there now, in pieces; what is added meanwhile comes with the next call. */
  async *entries(): AsyncGenerator<readonly LogEntry[]> {
    for (;;) {
      const buffer = Buffer.allocUnsafe(CHUNK);
      const { bytesRead } = await this.#handle.read(buffer, 0, CHUNK, this.#offset);
      if (bytesRead === 0) return;
      this.#offset += bytesRead;
      const chunk = buffer.subarray(0, bytesRead);
      const end = chunk.lastIndexOf(NEWLINE) + 1;
      if (end === 0) {
        this.#rest = Buffer.concat([this.#rest, chunk]);
        continue;
      }
      const text = Buffer.concat([this.#rest, chunk.subarray(0, end)]).toString("utf8");
      this.#rest = Buffer.from(chunk.subarray(end));
      yield parseLines(text);
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** The paths of a log, newest first, as far as they exist. */
export async function openAll(path: string): Promise<readonly LogFile[]> {
  const files: LogFile[] = [];
  for (let number = 0; ; number++) {
    const file = await LogFile.open(number === 0 ? path : `${path}.${number}`);
    if (file === undefined) return files;
    files.push(file);
  }
}

function parseLines(text: string): readonly LogEntry[] {
  return text.split("\n").flatMap((line): readonly LogEntry[] => {
    if (line === "") return [];
    try {
      const { log, stream, time } = JSON.parse(line) as {
        log: string;
        stream: LogEntry["stream"];
        time: string;
      };
      return [{ stream, time, text: log }];
    } catch {
      // A line that a full disk cut short; the ones after it are whole.
      return [];
    }
  });
}
