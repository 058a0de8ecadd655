import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** So long nothing must have been asked for. */
const QUIET_MS = 4_000;

/**
 * Collects garbage once when the daemon has become idle: V8 does that only when more memory is asked for, and an idle
 * daemon asks for none. While nothing happens no timer runs.
 *
 * @returns what is to be called when something happens
 */
export function collectWhenIdle(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: object) => void;
  const timer = setTimeout(
    () => collect({ type: "major", execution: "sync", flavor: "last-resort" }),
    QUIET_MS,
  );
  timer.unref();
  return () => {
    timer.refresh();
  };
}
