/** Docker's defaults, value by value, as a program in a container sees them. */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Sandbox } from "../../helpers/sandbox.ts";
import { probe, runToEnd } from "./probe.ts";

const isolation = suite("engine/containers: isolation");
let sandbox: Sandbox;
isolation.before(async () => {
  sandbox = await Sandbox.open();
});
isolation.after(() => sandbox?.close());

const mountOf = (path: string): string => `grep ' ${path} ' /proc/mounts | tail -1 | cut -d' ' -f1-4`;

isolation("a container that asks for nothing has Docker's defaults", async () => {
  const seen = await probe(sandbox.client, {
    capabilities: "grep Cap /proc/self/status",
    seccomp: "grep -E 'Seccomp:|NoNewPrivs' /proc/self/status",
    pid: "echo $$",
    uid: "id",
    umask: "umask",
    environment: "env | cut -d= -f1 | grep -v -E 'SHLVL|PWD' | sort | xargs",
    files: "ls /proc/self/fd | grep -v 3 | xargs",
    proc: mountOf("/proc"),
    dev: mountOf("/dev"),
    pts: mountOf("/dev/pts"),
    shm: mountOf("/dev/shm"),
    mqueue: mountOf("/dev/mqueue"),
    sys: mountOf("/sys"),
    cgroup: `${mountOf("/sys/fs/cgroup")} | cut -d' ' -f2,4 | grep -o 'ro,nosuid,nodev,noexec'`,
    nodes: "cd /dev; for n in *; do stat -c '%F %n %a' $n; done",
    readonly:
      "for p in bus fs irq sys sysrq-trigger; do touch /proc/$p/x 2>/dev/null; echo b 2>/dev/null >/proc/$p && echo open $p; done; true",
    masked:
      "cat /proc/keys /proc/timer_list /proc/interrupts /proc/kcore 2>/dev/null | wc -c; ls -A /proc/acpi /sys/firmware 2>/dev/null | grep -v :",
    sysctls: "cat /proc/sys/net/ipv4/ip_unprivileged_port_start; cat /proc/sys/net/ipv4/ping_group_range",
    cgroups: "cut -d: -f3 /proc/self/cgroup | sort -u",
    propagation: "grep -c -E 'shared:|master:' /proc/self/mountinfo",
    keyring: "cat /proc/keys | wc -l",
    markers: "ls /.dockerenv; readlink /etc/mtab",
    oom: "cat /proc/self/oom_score_adj",
  });
  const own = readFileSync("/proc/self/oom_score_adj", "utf8").trim();
  assert.equal(seen, {
    capabilities: [
      "CapInh:\t0000000000000000",
      "CapPrm:\t00000000a80425fb",
      "CapEff:\t00000000a80425fb",
      "CapBnd:\t00000000a80425fb",
      "CapAmb:\t0000000000000000",
    ].join("\n"),
    seccomp: "NoNewPrivs:\t0\nSeccomp:\t2",
    pid: "1",
    uid: "uid=0(root) gid=0(root) groups=0(root)",
    umask: "0022",
    environment: "HOME HOSTNAME PATH",
    files: "0 1 2",
    proc: "proc /proc proc rw,nosuid,nodev,noexec,relatime",
    dev: "tmpfs /dev tmpfs rw,nosuid,size=65536k,mode=755",
    pts: "devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666",
    shm: "shm /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k",
    mqueue: "mqueue /dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime",
    sys: "sysfs /sys sysfs ro,nosuid,nodev,noexec,relatime",
    cgroup: "ro,nosuid,nodev,noexec",
    nodes: [
      "symbolic link fd 777",
      "character special file full 666",
      "directory mqueue 1777",
      "character special file null 666",
      "symbolic link ptmx 777",
      "directory pts 755",
      "character special file random 666",
      "directory shm 1777",
      "symbolic link stderr 777",
      "symbolic link stdin 777",
      "symbolic link stdout 777",
      "character special file tty 666",
      "character special file urandom 666",
      "character special file zero 666",
    ].join("\n"),
    readonly: "",
    masked: "0",
    sysctls: "0\n0\t2147483647",
    cgroups: "/",
    propagation: "0",
    keyring: "0",
    markers: "/.dockerenv\n/proc/mounts",
    oom: own,
  });
});

isolation("signals are as the kernel gives them: none ignored, none blocked", async () => {
  const { output } = await runToEnd(sandbox.client, {
    Cmd: ["grep", "-E", "SigIgn|SigBlk", "/proc/self/status"],
  });
  assert.is(output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
});

isolation("a user that is not root has no capabilities but may not gain others either", async () => {
  const seen = await probe(
    sandbox.client,
    { id: "id", caps: "grep -E 'CapPrm|CapEff|CapBnd' /proc/self/status | cut -f2 | tr '\\n' ' '" },
    { User: "1000", HostConfig: { GroupAdd: ["55"] } },
  );
  assert.equal(seen, {
    id: "uid=1000 gid=0(root) groups=0(root),55",
    caps: "0000000000000000 0000000000000000 00000000a80425fb",
  });
});

for (const [what, host, line, expected] of [
  [
    "--cap-drop ALL --cap-add NET_ADMIN",
    { CapDrop: ["ALL"], CapAdd: ["NET_ADMIN"] },
    "grep CapBnd /proc/self/status | cut -f2",
    "0000000000001000",
  ],
  ["--cap-drop chown", { CapDrop: ["chown"] }, "grep CapEff /proc/self/status | cut -f2", "00000000a80425fa"],
  [
    "no-new-privileges",
    { SecurityOpt: ["no-new-privileges"] },
    "grep NoNewPrivs /proc/self/status | cut -f2",
    "1",
  ],
  [
    "seccomp=unconfined",
    { SecurityOpt: ["seccomp=unconfined"] },
    "grep Seccomp: /proc/self/status | cut -f2",
    "0",
  ],
  [
    "systempaths=unconfined",
    { SecurityOpt: ["systempaths=unconfined"] },
    "grep -c -E ' /proc/(keys|sys) ' /proc/mounts",
    "0",
  ],
  [
    "--read-only",
    { ReadonlyRootfs: true },
    "touch /x 2>/dev/null || touch /dev/shm/y && echo only in /dev/shm",
    "only in /dev/shm",
  ],
  [
    "--tmpfs",
    { Tmpfs: { "/t": "size=64k,mode=700" } },
    "grep ' /t ' /proc/mounts | cut -d' ' -f1-4",
    "tmpfs /t tmpfs rw,nosuid,nodev,noexec,relatime,size=64k,mode=700",
  ],
  ["--sysctl", { Sysctls: { "net.core.somaxconn": "777" } }, "cat /proc/sys/net/core/somaxconn", "777"],
  ["--ulimit", { Ulimits: [{ Name: "nofile", Soft: 100, Hard: 200 }] }, "ulimit -Sn; ulimit -Hn", "100\n200"],
  ["--shm-size", { ShmSize: 1 << 20 }, "df -k /dev/shm | tail -1 | awk '{print $2}'", "1024"],
  ["--oom-score-adj", { OomScoreAdj: 321 }, "cat /proc/self/oom_score_adj", "321"],
  [
    "--pids-limit",
    { PidsLimit: 42 },
    "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null",
    "42",
  ],
  [
    "--device",
    { Devices: [{ PathOnHost: "/dev/kmsg", PathInContainer: "/dev/mine", CgroupPermissions: "r" }] },
    "stat -c %t:%T /dev/mine; echo x > /dev/mine",
    "1:b\nsh: can't create /dev/mine: Operation not permitted",
  ],
  [
    "--pid host",
    { PidMode: "host" },
    "test $(ls -d /proc/[0-9]* 2>/dev/null | wc -l) -gt 10 && echo many",
    "many",
  ],
  ["--uts host", { UTSMode: "host" }, "hostname", readFileSync("/proc/sys/kernel/hostname", "utf8").trim()],
  ["--init", { Init: true }, "test $$ != 1 && echo not 1", "not 1"],
  ["--network none", { NetworkMode: "none" }, "ls /sys/class/net", "lo"],
  ["--add-host", { ExtraHosts: ["store:10.1.2.3"] }, "grep store /etc/hosts", "10.1.2.3\tstore"],
] as const) {
  isolation(what, async () => {
    const { seen } = await probe(sandbox.client, { seen: line }, { HostConfig: host as object });
    assert.is(seen, expected);
  });
}

isolation(
  "a device that is not among the allowed ones cannot be opened, though its node can be made",
  async () => {
    const { seen } = await probe(sandbox.client, { seen: "mknod /disk b 254 0 && head -c 1 /disk" });
    assert.match(seen, "Operation not permitted");
  },
);

isolation("a privileged container has what the engine has", async () => {
  const seen = await probe(
    sandbox.client,
    {
      caps: "grep CapEff /proc/self/status | cut -f2",
      seccomp: "grep Seccomp: /proc/self/status | cut -f2",
      masks: "grep -c ' /proc/keys ' /proc/mounts",
      sys: "grep ' /sys ' /proc/mounts | cut -d' ' -f4",
      mount: "mount -t tmpfs none /mnt 2>&1 || mkdir -p /m && mount -t tmpfs none /m && echo mounted",
    },
    { HostConfig: { Privileged: true } },
  );
  const bounding = /^CapBnd:\t(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  assert.is(seen.caps, bounding);
  assert.is(seen.seccomp, "0");
  assert.is(seen.masks, "0");
  assert.is(seen.sys, "rw,nosuid,nodev,noexec,relatime");
  assert.match(seen.mount, /mounted$/);
});

isolation("host name, domain, working directory and user's home", async () => {
  const seen = await probe(
    sandbox.client,
    {
      host: "hostname",
      where: "pwd",
      home: "echo $HOME",
      hosts: "grep -c boxy /etc/hosts",
      file: "cat /etc/hostname",
    },
    { Hostname: "boxy", WorkingDir: "/made/for/it", User: "nobody" },
  );
  assert.equal(seen, { host: "boxy", where: "/made/for/it", home: "/", hosts: "1", file: "boxy" });
});

isolation.run();
