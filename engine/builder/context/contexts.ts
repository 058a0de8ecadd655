/** The contexts of the last builds: one that looks as it did is neither taken apart nor read again. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Skipped, Workers } from "../../native/workers.ts";
import type { IgnoreMatcher } from "../ignore.ts";
import { ContextTree } from "./context-tree.ts";
import { Hashes } from "./hashes.ts";
import { look, show } from "./scan.ts";

/** Contexts of which something stays in memory. */
const MOST_CONTEXTS = 16;
/** Files and directories of all trees that stay in memory, about 1 kB each. */
const MOST_ENTRIES = 50_000;
/** Paths that are named to a walk as not worth looking into. */
const MOST_SKIPPED = 10_000;

interface Known {
  readonly hashes: Promise<Hashes>;
  last: Last | undefined;
}

interface Last {
  readonly tree: ContextTree;
  readonly ignores: string;
  /** What the walk saw. */
  readonly bytes: Buffer;
}

export class Contexts {
  readonly #directory: string;
  readonly #workers: Pick<Workers, "scan">;
  readonly #known = new Map<string, Known>();

  /** @param directory in which hashes are kept */
  constructor(directory: string, workers: Pick<Workers, "scan">) {
    this.#directory = directory;
    this.#workers = workers;
  }

  /** Whether its tree is kept. */
  isKnown(context: string): boolean {
    return this.#known.get(nameOf(context))?.last !== undefined;
  }

  /**
   * Walks a context.
   *
   * @param isLasting whether it is there for more than one build
   */
  async open(context: string, ignore: IgnoreMatcher | undefined, isLasting: boolean): Promise<ContextTree> {
    const known = isLasting ? this.#use(context) : { hashes: Hashes.open(undefined), last: undefined };
    const ignores = ignore?.key ?? "";
    const last = known.last?.ignores === ignores ? known.last : undefined;
    const skipped = skippedBy(ignore, last?.tree.hidden ?? []);
    const [sight, hashes] = await Promise.all([look(this.#workers, context, skipped), known.hashes]);
    const tree = last?.bytes.equals(sight.bytes)
      ? last.tree.seenAgain(sight.started)
      : new ContextTree(await show(context, sight, ignore), hashes);
    known.last = { tree, ignores, bytes: sight.bytes };
    this.#forget();
    return tree;
  }

  /** What is known of a context; it becomes the last one to be forgotten. */
  #use(context: string): Known {
    const name = nameOf(context);
    const known = this.#known.get(name) ?? {
      hashes: Hashes.open(join(this.#directory, name)),
      last: undefined,
    };
    this.#known.delete(name);
    this.#known.set(name, known);
    return known;
  }

  #forget(): void {
    for (const name of [...this.#known.keys()].slice(0, -MOST_CONTEXTS)) this.#known.delete(name);
    let left = MOST_ENTRIES;
    for (const known of [...this.#known.values()].reverse()) {
      left -= known.last?.tree.size ?? 0;
      if (left < 0) known.last = undefined;
    }
  }
}

function nameOf(context: string): string {
  return createHash("sha256").update(context).digest("hex").slice(0, 32);
}

function skippedBy(ignore: IgnoreMatcher | undefined, hidden: readonly string[]): Skipped {
  const { paths, names } = ignore?.closed ?? { paths: [], names: [] };
  return { paths: [...new Set([...paths, ...hidden])].slice(0, MOST_SKIPPED), names };
}
