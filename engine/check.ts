/**
 * What a machine must and should have for the engine. Each check says what was found, and what to do where it is
 * missing; `slipway system check` prints them.
 */
import { readdirSync, readFileSync, statfsSync } from "node:fs";
import { release } from "node:os";
import { messageOf } from "./errors.ts";
import type { Paths } from "./store/paths.ts";

export interface Check {
  readonly name: string;
  /** `fail`: containers cannot run; `warn`: something of them cannot. */
  readonly state: "ok" | "warn" | "fail";
  readonly detail: string;
  readonly hint?: string;
}

/** What is asked of the machine; tests give another one. */
export interface Machine {
  read(path: string): string;
  list(path: string): readonly string[];
  /** Free bytes of the file system that holds the path. */
  free(path: string): number;
  readonly kernel: string;
}

export const thisMachine: Machine = {
  read: (path) => readFileSync(path, "utf8"),
  list: (path) => readdirSync(path),
  free(path) {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  },
  kernel: release(),
};

/** Builds fill a disk quickly; below this a person should know. */
const LOW_BYTES = 2 * 1024 ** 3;

const NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];
const CONTROLLERS = ["cpu", "memory", "pids"];

export function checkMachine(machine: Machine, paths: Pick<Paths, "dataRoot">): Check[] {
  return [
    attempt("kernel", () => kernel(machine)),
    attempt("namespaces", () => namespaces(machine)),
    attempt("cgroups", () => cgroups(machine)),
    attempt("overlayfs", () => overlay(machine)),
    attempt("seccomp", () => seccomp(machine)),
    attempt("disk", () => disk(machine, paths.dataRoot)),
  ];
}

type Finding = Omit<Check, "name">;

function attempt(name: string, check: () => Finding): Check {
  try {
    return { name, ...check() };
  } catch (error) {
    return { name, state: "warn", detail: `cannot be found out: ${messageOf(error)}` };
  }
}

/** 5.7 has clone3 with CLONE_INTO_CGROUP; openat2 and pidfds are older, mount_setattr (5.12) has a fallback. */
function kernel({ kernel }: Machine): Finding {
  const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
  if (major > 5 || (major === 5 && minor >= 7)) return { state: "ok", detail: kernel };
  return { state: "fail", detail: `${kernel} is older than 5.7`, hint: "Use a newer kernel." };
}

function namespaces(machine: Machine): Finding {
  const there = machine.list("/proc/self/ns");
  const missing = NAMESPACES.filter((name) => !there.includes(name));
  if (missing.length === 0) return { state: "ok", detail: NAMESPACES.join(", ") };
  return {
    state: "fail",
    detail: `missing: ${missing.join(", ")}`,
    hint: "The kernel was built without them.",
  };
}

function cgroups(machine: Machine): Finding {
  const mounts = machine
    .read("/proc/self/mounts")
    .split("\n")
    .map((line) => line.split(" "));
  const root = mounts.find(([, path, type]) => path === "/sys/fs/cgroup" && type === "cgroup2");
  const there = root
    ? machine.read("/sys/fs/cgroup/cgroup.controllers").trim().split(" ")
    : mounts.filter(([, , type]) => type === "cgroup").flatMap(([, , , options = ""]) => options.split(","));
  const missing = CONTROLLERS.filter((name) => !there.includes(name));
  const version = root ? "version 2" : "version 1";
  if (missing.length === 0) return { state: "ok", detail: `${version}: ${CONTROLLERS.join(", ")}` };
  if (there.length > 0) {
    return {
      state: "warn",
      detail: `${version} without ${missing.join(", ")}`,
      hint: "Limits of these have no effect.",
    };
  }
  return { state: "fail", detail: "no cgroups are mounted", hint: "Mount cgroup2 at /sys/fs/cgroup." };
}

function overlay(machine: Machine): Finding {
  const there = /\boverlay$/m.test(machine.read("/proc/filesystems"));
  if (there) return { state: "ok", detail: "the kernel has it" };
  return { state: "fail", detail: "the kernel does not list it", hint: "Load it: modprobe overlay." };
}

function seccomp(machine: Machine): Finding {
  const actions = machine.read("/proc/sys/kernel/seccomp/actions_avail").trim().split(" ");
  if (actions.includes("errno")) return { state: "ok", detail: actions.join(", ") };
  return {
    state: "fail",
    detail: "filters are not available",
    hint: "The kernel was built without CONFIG_SECCOMP_FILTER.",
  };
}

function disk(machine: Machine, dataRoot: string): Finding {
  const free = machine.free(dataRoot);
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free at ${dataRoot}`;
  if (free >= LOW_BYTES) return { state: "ok", detail };
  return { state: "warn", detail, hint: "Run `slipway system prune`, or move the data root." };
}
