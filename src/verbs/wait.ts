import type { Context } from "../context.ts";
import type { ProjectSource } from "../model/types.ts";
import { findContainers } from "./containers.ts";
import { down } from "./down.ts";

/**
 * Waits until the containers of services have ended.
 *
 * @param tell told each exit status as it comes
 * @returns the first exit status that is not 0, else 0
 */
export async function waitFor(
  source: ProjectSource,
  services: readonly string[],
  downProject: boolean,
  tell: (code: number) => void,
  context: Context,
): Promise<number> {
  const { containers } = await findContainers(source, services, context.engine);
  const ends = containers.map(async ({ id }) => {
    const { StatusCode } = await context.engine.waitContainer(id, { signal: context.signal });
    tell(StatusCode);
    return StatusCode;
  });
  if (downProject) {
    const status = await Promise.race(ends);
    const all = { services: [], volumes: false, images: undefined, removeOrphans: false, timeout: undefined };
    await down(source, all, context);
    return status;
  }
  return (await Promise.all(ends)).find((code) => code !== 0) ?? 0;
}
