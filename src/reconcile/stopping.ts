import type { Project } from "../model/types.ts";
import type { ObservedContainer } from "./observed.ts";
import type { ContainerTarget } from "./operations.ts";
import type { PlanBuilder } from "./steps.ts";

/**
 * Plans to stop a container: its `pre_stop` hooks one after the other, then the stop.
 *
 * @param timeout seconds, where the command line gave any; else the service's own holds
 * @returns the stop's step
 */
export function planStopOf(
  builder: PlanBuilder,
  project: Project,
  container: ObservedContainer,
  why: string,
  timeout: number | undefined,
  after: readonly number[] = [],
): number {
  const target = targetOf(container);
  let ready = after;
  if (container.state === "running") {
    const hooks = project.services[container.service]?.pre_stop ?? [];
    hooks.forEach((_, index) => {
      ready = [builder.step({ kind: "runHook", why: "pre_stop", ...target, when: "pre_stop", index }, ready)];
    });
  }
  const seconds = timeout === undefined ? {} : { seconds: timeout };
  return builder.step({ kind: "stopContainer", why, ...target, ...seconds }, ready);
}

export function targetOf({ service, number, id }: ObservedContainer): ContainerTarget {
  return { service, number, container: id };
}

export function subjectOf({ service, number }: ObservedContainer): {
  readonly subject: "container";
  readonly id: string;
  readonly service: string;
} {
  return { subject: "container", id: `${service}-${number}`, service };
}
