import { existsSync } from "node:fs";
import { join } from "node:path";

/** How a daemon is run: an argument list to which its options are added, and what it needs in its environment. */
export interface DaemonProgram {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/** The bundle beside this one; in a checkout that is not built, the sources. */
export function daemonProgram(): DaemonProgram {
  const bundle = join(import.meta.dirname, "engine.cjs");
  const program = existsSync(bundle) ? bundle : join(import.meta.dirname, "../../engine/main.ts");
  return {
    // An idle daemon's memory matters more than the speed of its garbage collection.
    argv: [process.execPath, "--disable-warning=ExperimentalWarning", "--max-semi-space-size=1", program],
    // glibc keeps a heap a thread and gives little of it back: after an import 140 MB instead of 80.
    env: { MALLOC_ARENA_MAX: "1", MALLOC_TRIM_THRESHOLD_: "131072" },
  };
}
