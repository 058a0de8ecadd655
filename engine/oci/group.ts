/** A container's place in the cgroup tree. */
import { readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Cgroups, controllerMount } from "../containers/cgroups/detect.ts";
import { killGroup } from "../containers/cgroups/kill.ts";
import type { LimitWrite } from "../containers/cgroups/limits.ts";
import { cgroupDirectories } from "../containers/cgroups/operations.ts";
import { EngineError, messageOf } from "../errors.ts";
import type { OciConfig } from "./config.ts";

/** The cgroup around those of bundles that name none. */
const OWN = "slipway-oci";

/**
 * Relative to the root of the tree.
 *
 * @throws {EngineError} notImplemented for systemd's form; invalid for a path that leads out
 */
export function cgroupPath(config: OciConfig, id: string): string {
  const path = config.linux?.cgroupsPath || `${OWN}/${id}`;
  if (/^[^/]*:[^/]*:[^/]*$/.test(path)) throw systemdRefused();
  const names = path.split("/").filter((name) => name !== "");
  if (names.length === 0 || names.includes("..")) {
    throw new EngineError("invalid", `cgroupsPath ${path} is not a path below the root of the cgroup tree`);
  }
  return names.join("/");
}

export function systemdRefused(): EngineError {
  return new EngineError(
    "notImplemented",
    "systemd's cgroups are not supported: use cgroupfs (podman --cgroup-manager cgroupfs, dockerd --exec-opt native.cgroupdriver=cgroupfs)",
  );
}

/** Pids of all of its processes, as the caller sees them; those in cgroups that it has made itself, too. */
export async function processesOf(cgroups: Cgroups, path: string): Promise<readonly number[]> {
  const [directory = ""] = cgroupDirectories(cgroups, path);
  const below = await descendants(directory);
  const texts = await Promise.all(
    [directory, ...below].map((each) => readFile(join(each, "cgroup.procs"), "utf8").catch(() => "")),
  );
  return texts.flatMap((text) => text.split("\n").filter(Boolean).map(Number));
}

/** Kills what is left in it, and takes it away with all below it. */
export async function removeGroup(cgroups: Cgroups, path: string): Promise<void> {
  for (const directory of cgroupDirectories(cgroups, path)) {
    for (const below of (await descendants(directory)).toReversed()) {
      const name = below.slice(below.indexOf(path));
      if (
        await rmdir(below).then(
          () => false,
          () => true,
        )
      )
        await killGroup(cgroups, name);
    }
  }
  await killGroup(cgroups, path);
  if (!path.startsWith(`${OWN}/`)) return;
  // Other containers may still be in it.
  for (const directory of cgroupDirectories(cgroups, OWN)) await rmdir(directory).catch(() => {});
}

/** @throws {EngineError} system, naming the file */
export async function writeLimits(
  cgroups: Cgroups,
  path: string,
  writes: readonly LimitWrite[],
): Promise<void> {
  // Memory may never be above memory and swap together: which goes first depends on what was there.
  const again: LimitWrite[] = [];
  for (const one of writes) await writeLimit(cgroups, path, one).catch(() => again.push(one));
  for (const one of again) await writeLimit(cgroups, path, one);
}

async function writeLimit(cgroups: Cgroups, path: string, limit: LimitWrite): Promise<void> {
  const { controller, file, value, optional } = limit;
  const mount = controllerMount(cgroups, controller);
  if (mount === undefined) return;
  await writeFile(join(mount, path, file), value).catch((cause) => {
    if (!optional || cause.code === "EINVAL") {
      throw new EngineError("system", `${file}: ${messageOf(cause)}`, { cause });
    }
  });
}

/** @see freezer.state of the v1 freezer, cgroup.freeze of v2 */
export async function isFrozen(cgroups: Cgroups, path: string): Promise<boolean> {
  const mount = controllerMount(cgroups, "freezer");
  const file =
    cgroups.version === 2
      ? join(cgroups.mount, path, "cgroup.freeze")
      : join(mount ?? "/nonexistent", path, "freezer.state");
  const text = (await readFile(file, "utf8").catch(() => "")).trim();
  return text === "1" || text === "FROZEN" || text === "FREEZING";
}

/** Directories below, parents first. */
async function descendants(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const own = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name));
  return (await Promise.all(own.map(async (each) => [each, ...(await descendants(each))]))).flat();
}
