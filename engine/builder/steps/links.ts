import { posix } from "node:path";
import { EngineError } from "../../errors.ts";
import type { TreeRoot } from "../../native/trees.ts";
import type { StepTools } from "./types.ts";

/** As many links as the kernel follows in one path. */
const MOST_LINKS = 40;

/**
 * Where a path leads when every link on it is followed beneath the root, also one that points at nothing: COPY makes
 * what such a link names.
 *
 * @param path absolute, or relative to the root
 * @returns an absolute path that holds no link
 */
export async function followLinks(
  tree: TreeRoot,
  path: string,
  workers: Pick<StepTools["workers"], "stat">,
): Promise<string> {
  let rest = parts(path);
  let at = "/";
  for (let links = 0; rest.length > 0; ) {
    const next = posix.join(at, rest.shift()!); // ".." cannot leave "/"
    const stat = await workers.stat(tree, next);
    if (stat === undefined || stat.type !== "symlink") {
      at = next;
      continue;
    }
    if (++links > MOST_LINKS) throw new EngineError("invalid", `${path}: too many links`);
    rest = [...parts(stat.linkTarget), ...rest];
    if (stat.linkTarget.startsWith("/")) at = "/";
  }
  return at;
}

function parts(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
