import { mkdir } from "node:fs/promises";
import { join, posix } from "node:path";
import { EngineError, messageOf } from "../../errors.ts";
import type { Owner, TreeRoot } from "../../native/trees.ts";
import { followLinks } from "./links.ts";
import type { StepTools } from "./types.ts";

/** Directories that a step made on the way to where it writes. */
export interface MadeDirectories {
  /** Relative to the tree; "" where none was missing. */
  readonly first: string;
  readonly last: string;
  readonly mode: number;
  readonly owner: Owner;
}

/**
 * Makes what is missing of a path, links followed, also those that point at nothing yet.
 *
 * @param path absolute
 * @param refusal says in the step's words that a file is in the way
 * @throws {EngineError} invalid where something else than a directory is in the way
 */
export async function makeDirectories(
  tree: TreeRoot,
  path: string,
  mode: number,
  owner: Owner,
  { workers, epoch }: Pick<StepTools, "workers" | "epoch">,
  refusal = (shown: string): string => `mkdir ${shown}: not a directory`,
): Promise<MadeDirectories> {
  const wanted = path.replace(/^\/+|\/+$/g, "");
  // Only with an epoch anybody asks which ones were missing.
  const first = epoch === undefined ? "" : await firstMissing(tree, wanted, workers);
  if (wanted === "") return { first, last: "", mode, owner };
  try {
    await workers.makeDirectory(tree, wanted, { mode, ...owner });
    return { first, last: wanted, mode, owner };
  } catch (cause) {
    const last = (await followLinks(tree, wanted, workers)).slice(1);
    if (last === wanted) {
      if (!/Not a directory|File exists/.test(messageOf(cause))) throw cause;
      throw new EngineError("invalid", refusal(`/${wanted}`), { cause });
    }
    await workers.makeDirectory(tree, last, { mode, ...owner });
    return { first, last, mode, owner };
  }
}

async function firstMissing(tree: TreeRoot, path: string, workers: StepTools["workers"]): Promise<string> {
  const parts = path.split("/");
  for (let count = 1; count <= parts.length; count++) {
    const each = parts.slice(0, count).join("/");
    if ((await workers.stat(tree, each, { follow: true })) === undefined) return each;
  }
  return "";
}

/**
 * Gives made directories the epoch's time, after all was written into them: an empty tree of the same shape is copied
 * over them, which sets modes, owners and times and nothing else.
 */
export async function stampDirectories(
  tree: TreeRoot,
  { first, last, mode, owner }: MadeDirectories,
  { workers, epoch, scratch }: Pick<StepTools, "workers" | "epoch" | "scratch">,
): Promise<void> {
  if (epoch === undefined || first === "") return;
  const directory = await scratch();
  const inner = posix.relative(first, last);
  await mkdir(join(directory, "made", inner), { recursive: true });
  await workers.copy({ kind: "dir", path: directory }, tree, {
    items: [{ source: "made", target: first }],
    owner,
    mode,
    mtime: epoch,
  });
}
