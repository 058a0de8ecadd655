import { posix } from "node:path";
import type { Found, SourceTree } from "../context/tree.ts";
import { IgnoreMatcher } from "../ignore.ts";

/**
 * What `COPY --parents` takes below a directory: what the pattern names (`**` is any depth), and all in it.
 *
 * @returns paths of the tree
 */
export async function parentsMatches(tree: SourceTree, base: Found, pattern: string): Promise<string[]> {
  const matcher = new IgnoreMatcher([pattern]);
  const taken: string[] = [];
  for (const { path } of await tree.below(base.path))
    if (matcher.ignores(path)) taken.push(posix.join(base.path, path));
  return taken;
}
