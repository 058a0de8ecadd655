/** The runtime that others use, where it is installed beside this project: the same program in the same layer. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "../measure.ts";

const RUNC = "/opt/peers/bin/runc";

export interface Runc {
  /** Makes a container of `true` and removes it when it has ended. */
  run(): void;
  /** Starts one of `true` and returns when it runs; a bench removes it by `remove`. */
  start(): void;
  remove(): void;
  /** Starts one to exec in. */
  startSleeper(): void;
  exec(): void;
}

/**
 * @param directory gets the bundle
 * @param rootfs is not written to
 * @param cgroup the containers' parent
 * @returns undefined where there is no runc
 */
export function openRunc(directory: string, rootfs: string, cgroup: string): Runc | undefined {
  if (!existsSync(RUNC)) return undefined;
  const bundles = { true: ["true"], sleep: ["sleep", "1000"] } as const;
  for (const [name, args] of Object.entries(bundles))
    writeBundle(join(directory, name), rootfs, args, cgroup);
  // No pipes: a detached container would keep them open, and so the end of runc from being seen.
  const runc = (...args: readonly string[]): void => {
    must(RUNC, ["--root", join(directory, "state"), ...args], { stdio: "ignore" });
  };
  return {
    run: () => runc("run", "--bundle", join(directory, "true"), "bench"),
    start: () => runc("run", "--detach", "--bundle", join(directory, "true"), "bench"),
    remove: () => runc("delete", "--force", "bench"),
    startSleeper: () => runc("run", "--detach", "--bundle", join(directory, "sleep"), "bench"),
    exec: () => runc("exec", "bench", "true"),
  };
}

/** runc's own example, without a terminal. */
function writeBundle(bundle: string, rootfs: string, args: readonly string[], cgroup: string): void {
  rmSync(bundle, { recursive: true, force: true });
  mkdirSync(bundle, { recursive: true });
  must(RUNC, ["spec", "--bundle", bundle]);
  const path = join(bundle, "config.json");
  const spec = JSON.parse(must("cat", [path])) as {
    process: object;
    root: object;
    linux: object;
  };
  writeFileSync(
    path,
    JSON.stringify({
      ...spec,
      process: { ...spec.process, terminal: false, args },
      root: { path: rootfs, readonly: true },
      linux: { ...spec.linux, cgroupsPath: `/${cgroup}/runc-bench` },
    }),
  );
}
