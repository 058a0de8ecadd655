import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * Puts the engine in the place of this process: same pid, same streams, so that a service manager sees one program.
 * Beside the bundle it is the engine's bundle with its code cache, in a checkout its source.
 */
export function becomeDaemon(args: readonly string[]): number {
  const runner = join(import.meta.dirname, "run.cjs");
  const program = existsSync(runner)
    ? [runner, "engine"]
    : [join(import.meta.dirname, "../../engine/main.ts")];
  process.execve?.(
    process.execPath,
    [process.execPath, "--disable-warning=ExperimentalWarning", ...program, ...args],
    process.env,
  );
  // Only a Node without execve comes here.
  return 1;
}
