/** Images that a service wants fetched again after a time: `pull_policy: daily`, `weekly`, `every_12h`. */
import type { EngineClient } from "../client/client.ts";
import { isMissing } from "../client/failures.ts";
import type { Project } from "../model/types.ts";
import { parseDuration } from "../model/units.ts";
import { imageOf } from "../reconcile/names.ts";

/** @returns milliseconds, or undefined for a policy that has nothing to do with time */
export function refreshInterval(policy: string | undefined): number | undefined {
  const [, duration] = /^every_(.+)$/.exec(policy ?? "") ?? [];
  const text = policy === "daily" ? "1d" : policy === "weekly" ? "1w" : duration;
  return text === undefined ? undefined : parseDuration(text) / 1e6;
}

/**
 * @param now milliseconds since 1970
 * @returns names of images that were fetched, or tagged, longer ago than a service allows
 */
export async function staleImages(
  project: Project,
  services: readonly string[],
  engine: EngineClient,
  now: number,
): Promise<ReadonlySet<string>> {
  const found = await Promise.all(
    services.map(async (name) => {
      const service = project.services[name]!;
      const interval = service.build ? undefined : refreshInterval(service.pull_policy);
      if (interval === undefined) return [];
      const image = imageOf(project, service);
      const tagged = await lastTagged(image, engine);
      return tagged !== undefined && now - tagged > interval ? [image] : [];
    }),
  );
  return new Set(found.flat());
}

async function lastTagged(image: string, engine: EngineClient): Promise<number | undefined> {
  try {
    // dockerode's type lacks it.
    const { Metadata } = (await engine.inspectImage(image)) as {
      readonly Metadata?: { readonly LastTagTime?: string };
    };
    return Date.parse(Metadata?.LastTagTime ?? "0001-01-01T00:00:00Z");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
