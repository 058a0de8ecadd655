/**
 * The files of one log, in two layouts. As Docker names them: `path`, the newest, then `path.1`, `path.2` and so on, and
 * all are renamed when one is full. Or numbered: a full file gets the next number and keeps it, so that it can be
 * compressed (`path.7.gz`) while others are written; the highest number is the newest.
 */
import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { LogFile } from "./file.ts";
import type { LogForm } from "./form.ts";

/** A log file with its place among the others. */
export interface Placed {
  readonly file: LogFile;
  /** What its number is or will be, in the numbered layout. */
  readonly number: number;
}

export interface LogFiles {
  /** Newest first; the first is the one that is written. */
  openAll(): Promise<readonly Placed[]>;
  /** The one that was begun after this; undefined if that is the newest. */
  after(current: Placed): Promise<Placed | undefined>;
  /** The one that is written, if there is one. */
  newest(): Promise<Placed | undefined>;
}

export class ShiftedFiles implements LogFiles {
  readonly #path: string;
  readonly #form: LogForm;

  constructor(path: string, form: LogForm) {
    this.#path = path;
    this.#form = form;
  }

  async openAll(): Promise<readonly Placed[]> {
    const files: Placed[] = [];
    for (let index = 0; ; index++) {
      const file = await LogFile.open(index === 0 ? this.#path : `${this.#path}.${index}`, this.#form);
      if (file === undefined) return files;
      files.push({ file, number: 0 });
    }
  }

  async after({ file }: Placed): Promise<Placed | undefined> {
    const files = await this.openAll();
    const at = files.findIndex((each) => each.file.inode === file.inode);
    // Rotated away altogether: what was between is gone, the oldest that is left is next.
    const next = at < 0 ? files.at(-1) : files[at - 1];
    for (const each of files) if (each !== next) await each.file.close();
    return next;
  }

  async newest(): Promise<Placed | undefined> {
    const file = await LogFile.open(this.#path, this.#form);
    return file === undefined ? undefined : { file, number: 0 };
  }
}

export class NumberedFiles implements LogFiles {
  readonly #path: string;
  readonly #form: LogForm;

  constructor(path: string, form: LogForm) {
    this.#path = path;
    this.#form = form;
  }

  async openAll(): Promise<readonly Placed[]> {
    const newest = await this.newest();
    if (newest === undefined) return [];
    const older: Placed[] = [];
    for (const number of (await fullFiles(this.#path)).map((each) => each.number).reverse()) {
      const placed = number < newest.number ? await this.#open(number) : undefined;
      if (placed !== undefined) older.push(placed);
    }
    return [newest, ...older];
  }

  async after(current: Placed): Promise<Placed | undefined> {
    const numbers = (await fullFiles(this.#path)).map((each) => each.number);
    const [next] = numbers.filter((number) => number > current.number);
    if (next !== undefined) return (await this.#open(next)) ?? this.after({ ...current, number: next });
    return numbers.includes(current.number) ? this.newest() : undefined;
  }

  /** Its number is one more than the highest there is: looked for before and after, as it may get full in between. */
  async newest(): Promise<Placed | undefined> {
    for (;;) {
      const before = await nextNumber(this.#path);
      const file = await LogFile.open(this.#path, this.#form);
      if (file === undefined) return undefined;
      if ((await nextNumber(this.#path)) === before) return { file, number: before };
      await file.close();
    }
  }

  /** Compressed meanwhile, or gone. */
  async #open(number: number): Promise<Placed | undefined> {
    const path = `${this.#path}.${number}`;
    const file =
      (await LogFile.open(path, this.#form)) ?? (await LogFile.openCompressed(`${path}.gz`, this.#form));
    return file === undefined ? undefined : { file, number };
  }
}

/** The full files of the numbered layout, oldest first. */
export async function fullFiles(
  path: string,
): Promise<readonly { readonly number: number; readonly compressed: boolean }[]> {
  const prefix = `${basename(path)}.`;
  const names = await readdir(dirname(path)).catch(() => []);
  const found = new Map<number, boolean>();
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const [, digits, suffix] = /^(\d+)(\.gz)?$/.exec(name.slice(prefix.length)) ?? [];
    // Of one that is being compressed both are there.
    if (digits !== undefined)
      found.set(Number(digits), suffix !== undefined && found.get(Number(digits)) !== false);
  }
  return [...found]
    .map(([number, compressed]) => ({ number, compressed }))
    .sort((a, b) => a.number - b.number);
}

/** The number of the file that is full next; 1 for the first. */
export async function nextNumber(path: string): Promise<number> {
  return ((await fullFiles(path)).at(-1)?.number ?? 0) + 1;
}
