import { parseDuration } from "../duration.ts";
import { EngineError } from "../errors.ts";
import type { Filters } from "../filters.ts";
import { removeContainer } from "./remove.ts";
import { nowNs, parseTime } from "./time.ts";
import type { Tools } from "./tools.ts";

export interface PrunedContainers {
  readonly ids: readonly string[];
  /** Bytes of the file system. */
  readonly reclaimed: number;
}

/** Removes what does not run. @throws {EngineError} invalid for a filter other than label, label! and until */
export async function pruneContainers(tools: Tools, filters: Filters): Promise<PrunedContainers> {
  filters.accept("label", "label!", "until");
  const [until] = filters.values("until");
  const before = until === undefined ? undefined : untilTime(until);
  const ids: string[] = [];
  let reclaimed = 0;
  for (const container of tools.registry.all()) {
    const { created, config } = container.record;
    if (container.isRunning || !filters.labels(config.Labels)) continue;
    if (before !== undefined && parseTime(created) >= before) continue;
    const path = tools.paths.container(container.id);
    const { disk } = await tools.workers.measure({ kind: "dir", path });
    try {
      await removeContainer(tools, container, { force: false, volumes: false });
    } catch (error) {
      // Somebody starts or removes it at the same time.
      if (error instanceof EngineError && error.kind === "conflict") continue;
      throw error;
    }
    ids.push(container.id);
    reclaimed += disk;
  }
  tools.events.emit({
    type: "container",
    action: "prune",
    actor: { id: "", attributes: { reclaimed: String(reclaimed) } },
  });
  return { ids, reclaimed };
}

/** A moment: seconds since 1970, RFC 3339, or a Go duration before now. */
function untilTime(text: string): bigint {
  if (/^\d+(\.\d+)?$/.test(text)) return BigInt(Math.floor(Number(text) * 1e9));
  const moment = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(moment)) return BigInt(moment) * 1_000_000n;
  try {
    return nowNs() - BigInt(parseDuration(text));
  } catch (cause) {
    const reason = `failed to parse value as time or duration: ${JSON.stringify(text)}`;
    throw new EngineError("invalid", reason, { cause });
  }
}
