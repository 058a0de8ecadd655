import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkMachine, type Machine } from "../../engine/check.ts";

const check = suite("engine/check");

const FILES: Readonly<Record<string, string>> = {
  "/proc/self/mounts": "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n",
  "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
  "/proc/filesystems": "nodev\tproc\nnodev\toverlay\n\text4\n",
  "/proc/sys/kernel/seccomp/actions_avail": "kill_process kill_thread trap errno log allow\n",
};

function machine(
  change: Partial<Machine> & { readonly files?: Readonly<Record<string, string>> } = {},
): Machine {
  const files = { ...FILES, ...change.files };
  return {
    read(path) {
      const text = files[path];
      if (text === undefined) throw new Error(`ENOENT: ${path}`);
      return text;
    },
    list: () => ["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "user", "uts"],
    free: () => 10 * 1024 ** 3,
    kernel: "6.1.0-18-amd64",
    ...change,
  };
}

const states = (given: Machine): string =>
  checkMachine(given, { dataRoot: "/data" })
    .filter(({ state }) => state !== "ok")
    .map(({ name, state, detail }) => `${state} ${name}: ${detail}`)
    .join("\n");

check("a machine that has everything is fit", () => assert.is(states(machine()), ""));

for (const [what, change, expected] of [
  ["an old kernel", { kernel: "5.4.0-generic" }, "fail kernel: 5.4.0-generic is older than 5.7"],
  [
    "no overlayfs",
    { files: { "/proc/filesystems": "\text4\n" } },
    "fail overlayfs: the kernel does not list it",
  ],
  [
    "no user namespaces",
    { list: () => ["cgroup", "ipc", "mnt", "net", "pid", "uts"] },
    "fail namespaces: missing: user",
  ],
  ["a full disk", { free: () => 1024 ** 3 }, "warn disk: 1.0 GiB free at /data"],
  [
    "a controller that is not there",
    { files: { "/sys/fs/cgroup/cgroup.controllers": "cpu memory\n" } },
    "warn cgroups: version 2 without pids",
  ],
  [
    "version 1 of cgroups",
    { files: { "/proc/self/mounts": "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n" } },
    "warn cgroups: version 1 without cpu, pids",
  ],
  [
    "no cgroups",
    { files: { "/proc/self/mounts": "proc /proc proc rw 0 0\n" } },
    "fail cgroups: no cgroups are mounted",
  ],
] as const) {
  check(`${what} is told`, () => assert.is(states(machine(change)), expected));
}

check("what cannot be read is no reason to fail", () => {
  const given = machine({
    read() {
      throw new Error("EACCES");
    },
  });
  assert.match(states(given), /^warn cgroups: cannot be found out: EACCES/);
});

check.run();
