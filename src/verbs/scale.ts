import type { Context } from "../context.ts";
import type { ProjectSource } from "../model/types.ts";
import { PLAN_DEFAULTS } from "../reconcile/options.ts";
import { up } from "./up.ts";

/** Brings services to a number of containers; what else has changed stays as it is. */
export async function scale(
  source: ProjectSource,
  counts: Readonly<Record<string, number>>,
  dependencies: boolean,
  context: Context,
): Promise<void> {
  const services = Object.keys(counts);
  const keep = {
    recreate: "never",
    recreateDependencies: "never",
    build: "missing",
    pull: undefined,
  } as const;
  const options = {
    ...PLAN_DEFAULTS,
    ...keep,
    services,
    scale: counts,
    dependencies,
    wait: false,
    waitTimeout: undefined,
  };
  await up(source, options, context);
}
