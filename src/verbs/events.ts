import type { Context } from "../context.ts";
import { LABEL, projectFilter } from "../labels.ts";
import type { ProjectSource } from "../model/types.ts";
import { loadOrRecall } from "./project.ts";

export interface ProjectEvent {
  readonly time: string; // RFC 3339
  readonly action: string;
  readonly id: string;
  readonly service: string;
  readonly attributes: Readonly<Record<string, string>>; // without the labels
}

/** What happens to the containers of services, until the signal or the end of the range (seconds since 1970). */
export async function* events(
  source: ProjectSource,
  services: readonly string[],
  range: { readonly since?: number; readonly until?: number },
  { engine, signal }: Context,
): AsyncGenerator<ProjectEvent> {
  const { name } = await loadOrRecall(source, engine);
  const filters = { type: ["container"], ...projectFilter(name) };
  for await (const { Action, Actor, timeNano } of await engine.events({ filters, signal, ...range })) {
    const service = Actor.Attributes[LABEL.service] ?? "";
    if (services.length > 0 && !services.includes(service)) continue;
    const { image, name: container, exitCode } = Actor.Attributes;
    yield {
      time: new Date(timeNano / 1e6).toISOString(),
      action: Action,
      id: Actor.ID,
      service,
      attributes: {
        ...(image && { image }),
        ...(container && { name: container }),
        ...(exitCode && { exitCode }),
      },
    };
  }
}
