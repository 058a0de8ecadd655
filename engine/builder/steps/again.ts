/**
 * COPY of a directory of which little changed since the same instruction ran: the layer of then is linked file by file,
 * and only what changed is copied.
 */
import { posix } from "node:path";
import type { CopyOptions } from "../../native/workers.ts";
import type { Manifest } from "../manifest.ts";
import { compareManifests } from "../manifest.ts";
import type { StepTools, Target } from "./types.ts";

/** The result of the same instruction on the same layers below. */
export interface Earlier {
  readonly directory: string; // its layer
  readonly manifest: Manifest;
}

/** Below this many files linking gains nothing; removals cost a worker each. */
const FEWEST = 50;
const MOST_REMOVED = 20;
const MOST_CHANGED = 0.5; // of all

/**
 * @param copy how the directory is copied as a whole
 * @param to where its contents go, beneath the target
 * @returns false where all must be copied
 */
export async function copyAgain(
  earlier: Earlier,
  now: Manifest,
  from: Parameters<StepTools["workers"]["copy"]>[0],
  source: string,
  into: Target,
  to: string,
  copy: CopyOptions,
  { workers }: Pick<StepTools, "workers">,
): Promise<boolean> {
  const { added, changed, removed } = compareManifests(earlier.manifest, now);
  const fresh = [...added, ...changed];
  const gone = topmost([
    ...removed,
    ...changed.filter((path) => kindOf(earlier.manifest, path) !== kindOf(now, path)),
  ]);
  if (now.size < FEWEST || fresh.length > now.size * MOST_CHANGED || gone.length > MOST_REMOVED) return false;
  // A name that is not UTF-8 cannot be listed for a worker.
  if ([...fresh, ...gone].some((path) => path.includes("\ufffd"))) return false;
  const upper = { kind: "dir", path: into.upper } as const;
  await workers.copy({ kind: "dir", path: earlier.directory }, upper, {
    items: [{ source: "", target: "", contents: true }],
    link: true,
    mtime: "keep",
  });
  for (const path of gone) await workers.remove(upper, posix.join(to, path));
  // A directory from which something went has another time; listed alone it is only touched.
  const touched = gone.map((path) => posix.dirname(path)).filter((path) => path !== ".");
  const only = [...new Set([...fresh, ...touched])].map((path) => posix.join(source, path));
  if (only.length > 0) await workers.copy(from, into.tree, { ...copy, only });
  return true;
}

function kindOf(manifest: Manifest, path: string): string {
  return manifest.get(path)?.split(" ")[0] ?? "";
}

/** Paths that no other of the list holds. */
function topmost(paths: readonly string[]): string[] {
  const all = new Set(paths);
  return paths.filter((path) => {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
      if (all.has(path.slice(0, at))) return false;
    return true;
  });
}
