/** When a health probe runs and what its result means; pure, with every time in milliseconds. */
import type { ContainerConfig, HealthResult, HealthState } from "./types.ts";

export interface HealthPolicy {
  readonly argv: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  /** Failures in a row that make a container unhealthy. */
  readonly retries: number;
  /** After the start, in which failures do not count. */
  readonly startPeriod: number;
  /** Between probes in the start period. */
  readonly startInterval: number;
}

const NANOSECONDS = 1e6;
const FIRST_DELAY = 100;
const KEPT = 5;

/** @returns undefined for a container without probes, or with `NONE` */
export function healthPolicy(config: ContainerConfig): HealthPolicy | undefined {
  const health = config.Healthcheck;
  const [kind, ...words] = health?.Test ?? [];
  if (health == null || kind === undefined || kind === "NONE" || words.length === 0) return undefined;
  const shell = config.Shell != null && config.Shell.length > 0 ? config.Shell : ["/bin/sh", "-c"];
  const milliseconds = (value: number | undefined, otherwise: number): number =>
    value ? value / NANOSECONDS : otherwise;
  return {
    argv: kind === "CMD-SHELL" ? [...shell, words.join(" ")] : words,
    interval: milliseconds(health.Interval, 30_000),
    timeout: milliseconds(health.Timeout, 30_000),
    retries: health.Retries || 3,
    startPeriod: milliseconds(health.StartPeriod, 0),
    startInterval: milliseconds(health.StartInterval, 5_000),
  };
}

/**
 * How long to wait before the next probe.
 *
 * Probes begin at once and back off to the interval while the container has not been healthy yet, so that who waits
 * for it need not wait for a whole interval after it is ready.
 *
 * @param last the delay before the probe that just ran; 0 for the first
 */
export function probeDelay(policy: HealthPolicy, state: HealthState, last: number, age: number): number {
  if (state.status !== "starting") return policy.interval;
  const most = age < policy.startPeriod ? Math.min(policy.startInterval, policy.interval) : policy.interval;
  return Math.min(last === 0 ? FIRST_DELAY : last * 2, most);
}

/**
 * The health after a probe.
 *
 * @param age of the container when the probe began
 * @param sinceCounted time since the last failure that counted, or since the start: a failure counts once an interval
 * at most, so that quick early probes make no container unhealthy sooner than Docker's would
 */
export function nextHealth(
  policy: HealthPolicy,
  state: HealthState,
  result: HealthResult,
  age: number,
  sinceCounted: number,
): { readonly state: HealthState; readonly counted: boolean } {
  const log = [...state.log, result].slice(-KEPT);
  if (result.ExitCode === 0) {
    return { state: { status: "healthy", failingStreak: 0, log }, counted: false };
  }
  const starting = state.status === "starting";
  const counted = !starting || (age >= policy.startPeriod && sinceCounted >= policy.interval);
  if (!counted) return { state: { ...state, log }, counted };
  const failingStreak = state.failingStreak + 1;
  const status = failingStreak >= policy.retries ? "unhealthy" : state.status;
  return { state: { status, failingStreak, log }, counted };
}
