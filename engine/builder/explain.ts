import type { StepCache } from "./cache.ts";
import { compareManifests } from "./manifest.ts";
import type { Prepared } from "./steps/types.ts";

/** Changed files that are named; of more only the number is told. */
const MOST_NAMED = 5;

/** Why a step's result is not in the cache: what differs from the last result of the same instruction. */
export async function reasonsFor(
  cache: StepCache,
  place: string,
  prepared: Prepared,
  inputs: Readonly<Record<string, string>>,
): Promise<string[]> {
  const before = cache.latest(place);
  if (before === undefined) return ["this instruction was not built before, or its text is another"];
  const reasons: string[] = [];
  for (const name of new Set([...Object.keys(before.inputs), ...Object.keys(inputs)])) {
    if (before.inputs[name] === inputs[name]) continue;
    const manifest = prepared.manifest && /^\d+ /.test(name) ? await cache.manifest(before.key) : undefined;
    if (manifest !== undefined) reasons.push(...fileReasons(compareManifests(manifest, prepared.manifest!)));
    else if (before.inputs[name] === undefined) reasons.push(`${label(name)} is new`);
    else reasons.push(`${label(name)} ${inputs[name] === undefined ? "is gone" : "changed"}`);
  }
  return reasons.length > 0 ? reasons : ["the cache is not used for this step"];
}

function label(name: string): string {
  if (name === "base") return "the layers below";
  if (name === "environment") return "ENV or ARG values";
  if (name === "command") return "the command, its user or its directory";
  if (name === "target") return "the target or a flag";
  return name.replace(/^\d+ /, "") || "the context";
}

function fileReasons({ added, changed, removed }: ReturnType<typeof compareManifests>): string[] {
  const all = [
    ...changed.map((path) => `${path} content or mode`),
    ...added.map((path) => `${path} is new`),
    ...removed.map((path) => `${path} is gone`),
  ];
  if (all.length <= MOST_NAMED) return all;
  return [...all.slice(0, MOST_NAMED), `and ${all.length - MOST_NAMED} more files`];
}
