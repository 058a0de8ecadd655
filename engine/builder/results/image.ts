import type { HistoryEntry, ImageConfig } from "../../images/types.ts";
import { epochTime } from "../plan/draft.ts";
import type { BuildPlan } from "../plan/types.ts";

/**
 * The image's configuration, with times: a layer's is its step's, what made no layer has the time of the layer before.
 * A build that finds all in the cache so gives the same image, byte for byte.
 */
export function finishImage(plan: BuildPlan, created: readonly string[]): Omit<ImageConfig, "rootfs"> {
  const { config, history, ...rest } = plan.target.image;
  const times = created.map((time) => (plan.epoch === undefined ? time : epochTime(plan.epoch)));
  const entries = withTimes(history, times);
  const last = entries.at(-1)?.created;
  return { ...rest, ...(last !== undefined && { created: last }), config, history: entries };
}

/** @param times of the new layers, bottom first; they belong to the last entries that are not empty */
function withTimes(history: readonly HistoryEntry[], times: readonly string[]): HistoryEntry[] {
  const rest = [...times];
  const entries = [...history].reverse().map((entry) => {
    if (entry.empty_layer === true || rest.length === 0) return entry;
    const created = rest.pop()!;
    return { ...entry, created: entry.created ?? created };
  });
  entries.reverse();
  const firstNew = entries.findIndex(({ created }) => created === undefined);
  const before = entries.findLast(({ created }, index) => created !== undefined && index < firstNew)?.created;
  let time =
    entries.find(({ created }, index) => created !== undefined && index > firstNew)?.created ?? before;
  return entries.map((entry, index) => {
    if (entry.created === undefined) return time === undefined ? entry : { created: time, ...entry };
    if (index > firstNew) time = entry.created;
    return entry;
  });
}
