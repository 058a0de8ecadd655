import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** Whether a bundle is newer than its sources: what is shipped is tested, but never what was there before. */
export function isFresh(bundle: string, sources: readonly string[]): boolean {
  const path = join(root, "dist", bundle);
  if (!existsSync(path)) return false;
  const built = statSync(path).mtimeMs;
  return sources.every((directory) =>
    readdirSync(join(root, directory), { recursive: true, encoding: "utf8" }).every(
      (name) => statSync(join(root, directory, name)).mtimeMs < built,
    ),
  );
}

/** The OCI runtime's command line: bundled, where that is fresh, for it is called often and starts ten times as fast. */
export function runtimeCommand(): string[] {
  return isFresh("runtime.cjs", ["engine"])
    ? [process.execPath, join(root, "dist/runtime.cjs")]
    : [process.execPath, "--disable-warning=ExperimentalWarning", join(root, "engine/oci/main.ts")];
}
