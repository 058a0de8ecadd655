/**
 * The files of one log, in two layouts. As Docker names them: `path`, the newest, then `path.1`, `path.2` and so on, and
 * all are renamed when one is full. Or numbered: a full file gets the next number and keeps it, so that it can be
 * compressed (`path.7.gz`) while others are written; the highest number is the newest.
 */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { LogFile } from "./file.ts";
import type { LogForm } from "./form.ts";

/** Of looks at a log that is rotated all the while; then what there is must do, as what it lacks is soon gone anyway. */
const TRIES = 20;

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

  /** As they were at one moment: the log may be rotated between the opening of two. */
  async openAll(): Promise<readonly Placed[]> {
    for (let tries = 1; ; tries++) {
      const indexes = await this.#indexes();
      const opened = await Promise.all(indexes.map((index) => LogFile.open(this.#name(index), this.#form)));
      const files = opened.filter((file) => file !== undefined);
      if (tries === TRIES || (await this.#isStill(files))) return files.map((file) => ({ file, number: 0 }));
      for (const file of files) await file.close();
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

  /** Of the files there are, ascending. */
  async #indexes(): Promise<readonly number[]> {
    const name = basename(this.#path);
    const names = await readdir(dirname(this.#path)).catch(() => []);
    return names
      .map((each) =>
        each === name ? 0 : each.startsWith(`${name}.`) ? Number(each.slice(name.length + 1)) : -1,
      )
      .filter((index) => Number.isInteger(index) && index >= 0)
      .sort((a, b) => a - b);
  }

  /** Amid a rotation a number is missing. */
  async #isStill(files: readonly LogFile[]): Promise<boolean> {
    const indexes = await this.#indexes();
    if (indexes.length !== files.length || indexes.some((index, at) => index !== at)) return false;
    const inodes = await Promise.all(files.map((_, index) => inodeOf(this.#name(index))));
    return files.every(({ inode }, at) => inode === inodes[at]);
  }

  #name(index: number): string {
    return index === 0 ? this.#path : `${this.#path}.${index}`;
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
    if (!numbers.includes(current.number)) return undefined;
    const newest = await this.newest();
    if (newest === undefined || newest.number === current.number + 1) return newest;
    // Others got full since the files were listed.
    await newest.file.close();
    return this.after(current);
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

async function inodeOf(path: string): Promise<bigint | undefined> {
  return (await stat(path, { bigint: true }).catch(() => undefined))?.ino;
}
