/** Checks the sources without running them: format and lint, types, unused files, exports and packages. */
import { spawnSync } from "node:child_process";

let failed = false;
for (const [program, ...args] of [["biome", "check", "."], ["tsc", "--noEmit"], ["knip"]] as const) {
  const { status } = spawnSync(program, args, { stdio: "inherit" });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
