/** How far `up` and `create` may go. */
export interface PlanOptions {
  /** Services named on the command line; empty: all. */
  readonly services: readonly string[];
  /** diverged: replace what differs; force: everything; never: nothing. */
  readonly recreate: "diverged" | "force" | "never";
  /** The same for services that only come along as dependencies. */
  readonly recreateDependencies: "diverged" | "force" | "never";
  /** Containers wanted, by service; else what the file says. */
  readonly scale: Readonly<Record<string, number>>;
  readonly removeOrphans: boolean;
  readonly start: boolean;
  /** New anonymous volumes instead of the ones of the container that is replaced. */
  readonly renewVolumes: boolean;
  /** Seconds to wait for a container to stop; undefined: as the service says. */
  readonly timeout: number | undefined;
}

export const PLAN_DEFAULTS: PlanOptions = {
  services: [],
  recreate: "diverged",
  recreateDependencies: "diverged",
  scale: {},
  removeOrphans: false,
  start: true,
  renewVolumes: false,
  timeout: undefined,
};
