import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DEFAULT_CAPABILITIES } from "../../../engine/containers/capabilities.ts";
import type { Cgroups } from "../../../engine/containers/cgroups/detect.ts";
import { limitWrites } from "../../../engine/containers/cgroups/limits.ts";
import { DEFAULT_NODES, DEFAULT_RULES } from "../../../engine/containers/devices.ts";
import {
  engineFile,
  type ProcessSpec,
  prepareOps,
  processOps,
  type Spec,
} from "../../../engine/containers/operations.ts";
import type { Op } from "../../../engine/native/protocol.ts";

const V1: Cgroups = {
  version: 1,
  hierarchies: [
    { mount: "/sys/fs/cgroup/cpu", controllers: ["cpu"], options: "cpu" },
    { mount: "/sys/fs/cgroup/memory", controllers: ["memory"], options: "memory" },
    { mount: "/sys/fs/cgroup/devices", controllers: ["devices"], options: "devices" },
    { mount: "/sys/fs/cgroup/systemd", controllers: [], options: "name=systemd" },
  ],
};
const V2: Cgroups = {
  version: 2,
  mount: "/sys/fs/cgroup",
  controllers: ["cpu", "memory", "pids", "io", "cpuset"],
};

function spec(tree: Cgroups, change: Partial<Spec> = {}): Spec {
  return {
    runDir: "/run/c",
    stateDir: "/data/c",
    tty: false,
    openStdin: false,
    stdinOnce: false,
    log: { path: "/data/c/log", maxSize: 0, maxFiles: 1 },
    cgroup: {
      tree,
      path: "slipway/c",
      limits: limitWrites(tree, { Memory: 64 << 20, NanoCpus: 1.5e9 }),
      devices: [DEFAULT_RULES[0]!, DEFAULT_RULES[2]!],
    },
    namespaces: ["mount", "pid", "ipc", "uts", "cgroup", "net"],
    joins: [],
    hostFiles: [],
    network: [],
    root: { lowers: ["/l/top", "/l/base"], upper: "/data/c/upper", work: "/data/c/work", readonly: false },
    hostname: "c",
    domainname: "",
    privileged: false,
    shm: { kind: "own", size: 1024 },
    nodes: DEFAULT_NODES.slice(0, 1),
    mounts: [engineFile("/data/c/hosts", "/etc/hosts", false)],
    files: [],
    directories: ["/work"],
    masked: ["/proc/kcore"],
    readonlyPaths: ["/proc/sys"],
    sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
    ...change,
  };
}

/** One operation a line: its name, then its values as they come. */
function text(ops: readonly Op[]): string {
  return ops
    .map(({ op, ...values }) => {
      const shown = Object.values(values).map((value) =>
        value instanceof Uint8Array
          ? `<${value.length} bytes>`
          : typeof value === "bigint"
            ? `0x${value.toString(16)}`
            : JSON.stringify(value),
      );
      return [op, ...shown].join(" ");
    })
    .join("\n");
}

const operations = suite("engine/containers/operations");

operations("a container on cgroup v1, from its monitor to its new root", () => {
  assert.is(
    text(prepareOps(spec(V1))),
    `monitor "/run/c" "/data/c" false false false
log "/data/c/log" 0 1
cgroup "/sys/fs/cgroup/cpu/slipway/c"
cgroup "/sys/fs/cgroup/memory/slipway/c"
cgroup "/sys/fs/cgroup/devices/slipway/c"
cgroup "/sys/fs/cgroup/systemd/slipway/c"
write "/sys/fs/cgroup/memory/slipway/c/memory.limit_in_bytes" "67108864" false
write "/sys/fs/cgroup/memory/slipway/c/memory.memsw.limit_in_bytes" "134217728" true
write "/sys/fs/cgroup/cpu/slipway/c/cpu.cfs_period_us" "100000" false
write "/sys/fs/cgroup/cpu/slipway/c/cpu.cfs_quota_us" "150000" false
write "/sys/fs/cgroup/devices/slipway/c/devices.deny" "a" false
write "/sys/fs/cgroup/devices/slipway/c/devices.allow" "c *:* m" false
write "/sys/fs/cgroup/devices/slipway/c/devices.allow" "c 1:3 rwm" false
clone ["mount","pid","ipc","uts","cgroup","net"] [] "" ""
overlay ["/l/top","/l/base"] "/data/c/upper" "/data/c/work" false
mount "proc" "proc" "/proc" 14 ""
mount "tmpfs" "tmpfs" "/dev" 16777218 "mode=755,size=65536k"
mount "devpts" "devpts" "/dev/pts" 10 "newinstance,ptmxmode=0666,mode=0620,gid=5"
mount "mqueue" "mqueue" "/dev/mqueue" 14 ""
mount "tmpfs" "shm" "/dev/shm" 14 "mode=1777,size=1024"
node "/dev/null" "c" 1 3 438 0 0
symlink "/proc/self/fd" "/dev/fd"
symlink "/proc/self/fd/0" "/dev/stdin"
symlink "/proc/self/fd/1" "/dev/stdout"
symlink "/proc/self/fd/2" "/dev/stderr"
symlink "pts/ptmx" "/dev/ptmx"
mount "sysfs" "sysfs" "/sys" 15 ""
mount "tmpfs" "tmpfs" "/sys/fs/cgroup" 14 "mode=755,size=64k"
mount "cgroup" "cgroup" "/sys/fs/cgroup/cpu" 15 "cpu"
mount "cgroup" "cgroup" "/sys/fs/cgroup/memory" 15 "memory"
mount "cgroup" "cgroup" "/sys/fs/cgroup/devices" 15 "devices"
mount "cgroup" "cgroup" "/sys/fs/cgroup/systemd" 15 "name=systemd"
readonly "/sys/fs/cgroup"
bind "/data/c/hosts" "/etc/hosts" false 0 "rprivate"
directory "/work" 493 0 0
hostname "c" ""
sysctl "net/ipv4/ip_unprivileged_port_start" "0"
mask "/proc/kcore"
readonly "/proc/sys"
readFile "/etc/passwd" 1048576
readFile "/etc/group" 1048576
pivot`,
  );
});

operations("on cgroup v2 there is one directory, and devices are a program", () => {
  const lines = text(prepareOps(spec(V2)))
    .split("\n")
    .filter((line) => /cgroup|deviceFilter/.test(line));
  assert.equal(lines, [
    'cgroup "/sys/fs/cgroup/slipway/c"',
    'write "/sys/fs/cgroup/slipway/c/memory.max" "67108864" false',
    'write "/sys/fs/cgroup/slipway/c/memory.swap.max" "67108864" true',
    'write "/sys/fs/cgroup/slipway/c/cpu.max" "150000 100000" false',
    'deviceFilter "/sys/fs/cgroup/slipway/c" <152 bytes>',
    'clone ["mount","pid","ipc","uts","cgroup","net"] [] "" ""',
    'mount "cgroup2" "cgroup" "/sys/fs/cgroup" 15 ""',
  ]);
});

operations("a mount of the user's takes the place of the engine's", () => {
  const mounts = ["/dev/shm", "/sys"].map((target) => engineFile(`/host${target}`, target, true));
  const lines = text(prepareOps(spec(V2, { mounts }))).split("\n");
  assert.equal(
    lines.filter(
      (line) => /shm|\/sys"|\/sys\/fs/.test(line) && !/^(cgroup|write|deviceFilter|readonly)/.test(line),
    ),
    ['bind "/host/dev/shm" "/dev/shm" false 1 "rprivate"', 'bind "/host/sys" "/sys" false 1 "rprivate"'],
  );
});

operations("an empty volume is filled before it is bound; a read-only root is sealed last", () => {
  const lines = text(
    prepareOps(
      spec(V2, {
        mounts: [
          {
            ...engineFile("/vol", "/data", false),
            type: "bind",
            recursive: true,
            copyUp: true,
          } as Spec["mounts"][number],
        ],
        root: { lowers: ["/l"], upper: "/u", work: "/w", readonly: true },
      }),
    ),
  ).split("\n");
  assert.equal(
    lines.filter((line) => /vol|readonlyRoot|pivot|overlay/.test(line)),
    [
      'overlay ["/l"] "/u" "/w" false',
      'volumeInit "/data" "/vol"',
      'bind "/vol" "/data" true 0 "rprivate"',
      "readonlyRoot",
      "pivot",
    ],
  );
});

const program: ProcessSpec = {
  argv: ["sh", "-c", "true"],
  env: ["PATH=/bin"],
  cwd: "/",
  user: { uid: 0, gid: 0, groups: [0], home: "/root" },
  capabilities: DEFAULT_CAPABILITIES,
  seccomp: Buffer.alloc(16),
  noNewPrivileges: false,
  rlimits: [{ resource: 7, soft: 10n, hard: -1n }],
  oomScoreAdj: undefined,
  terminal: undefined,
  init: false,
  keyring: "_ses.c",
};

operations("root has the bounding set, and nothing inheritable", () => {
  assert.is(
    text(processOps(program)),
    `argv ["sh","-c","true"]
env ["PATH=/bin"]
cwd "/"
user 0 0 [0]
caps 0xa80425fb 0xa80425fb 0xa80425fb 0x0 0x0
seccomp <16 bytes>
rlimit 7 0xa 0x-1
umask 18
keyring "_ses.c"`,
  );
});

operations("another user keeps the bounding set alone", () => {
  const ops = processOps({
    ...program,
    user: { ...program.user, uid: 1000 },
    noNewPrivileges: true,
    init: true,
  });
  assert.match(text(ops), "caps 0xa80425fb 0x0 0x0 0x0 0x0");
  assert.match(text(ops), /noNewPrivileges[\s\S]*init/);
});

operations.run();

const limits = suite("engine/containers/cgroups/limits");

for (const [resources, v1, v2] of [
  [{}, "", ""],
  [{ CpuShares: 512 }, "cpu.shares=512", "cpu.weight=20"],
  // The ends of runc's scales, and Docker's default in the middle.
  [{ CpuShares: 2 }, "cpu.shares=2", "cpu.weight=1"],
  [{ CpuShares: 1024 }, "cpu.shares=1024", "cpu.weight=39"],
  [{ CpuShares: 262144 }, "cpu.shares=262144", "cpu.weight=10000"],
  [{ BlkioWeight: 10 }, "blkio.weight=10 blkio.bfq.weight=10", "io.bfq.weight=10 io.weight=1"],
  [{ BlkioWeight: 1000 }, "blkio.weight=1000 blkio.bfq.weight=1000", "io.bfq.weight=1000 io.weight=10000"],
  [
    { BlkioWeightDevice: [{ Path: "/dev/vda", Weight: 300 }] },
    "blkio.weight_device=254:0 300 blkio.bfq.weight_device=254:0 300",
    "io.bfq.weight=254:0 300",
  ],
  [{ NanoCpus: 1.5e9 }, "cpu.cfs_period_us=100000 cpu.cfs_quota_us=150000", "cpu.max=150000 100000"],
  [{ CpuQuota: 20000 }, "cpu.cfs_period_us=100000 cpu.cfs_quota_us=20000", "cpu.max=20000 100000"],
  [
    { Memory: 100e6 },
    "memory.limit_in_bytes=100000000 memory.memsw.limit_in_bytes=200000000",
    "memory.max=100000000 memory.swap.max=100000000",
  ],
  [
    { Memory: 100e6, MemorySwap: 300e6 },
    "memory.limit_in_bytes=100000000 memory.memsw.limit_in_bytes=300000000",
    "memory.max=100000000 memory.swap.max=200000000",
  ],
  [{ CpuQuota: -1, CpuPeriod: 50000 }, "cpu.cfs_period_us=50000 cpu.cfs_quota_us=-1", "cpu.max=max 50000"],
  [{ CpusetCpus: "0-1" }, "cpuset.cpus=0-1", "cpuset.cpus=0-1"],
  [{ PidsLimit: -1 }, "pids.max=max", "pids.max=max"],
  [{ PidsLimit: 7 }, "pids.max=7", "pids.max=7"],
  [
    { Memory: 100e6, MemorySwap: -1, MemoryReservation: 50e6 },
    "memory.limit_in_bytes=100000000 memory.memsw.limit_in_bytes=-1 memory.soft_limit_in_bytes=50000000",
    "memory.max=100000000 memory.swap.max=max memory.low=50000000",
  ],
  [
    { Memory: 100e6, MemorySwap: 100e6 },
    "memory.limit_in_bytes=100000000 memory.memsw.limit_in_bytes=100000000",
    "memory.max=100000000 memory.swap.max=0",
  ],
  [{ OomKillDisable: true, MemorySwappiness: 0 }, "memory.swappiness=0 memory.oom_control=1", ""],
  [
    { BlkioWeight: 500, BlkioDeviceReadBps: [{ Path: "/dev/vda", Rate: 1000 }] },
    "blkio.weight=500 blkio.bfq.weight=500 blkio.throttle.read_bps_device=254:0 1000",
    "io.bfq.weight=500 io.weight=4950 io.max=254:0 rbps=1000",
  ],
] as const) {
  limits(`${JSON.stringify(resources)}`, () => {
    const devices = new Map([["/dev/vda", "254:0"]]);
    const shown = (tree: Cgroups): string =>
      limitWrites(tree, resources, devices)
        .map(({ file, value }) => `${file}=${value}`)
        .join(" ");
    assert.equal([shown(V1), shown(V2)], [v1, v2]);
  });
}

limits.run();
