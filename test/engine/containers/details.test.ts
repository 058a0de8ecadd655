/** Details of containers in which a client notices the difference, each compared with Docker 26 once. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { EngineClient } from "../../../src/client/client.ts";
import { until } from "../../helpers/command.ts";
import { Sandbox } from "../../helpers/sandbox.ts";
import { makeTar } from "../../helpers/tar.ts";
import { type Options, probe } from "./probe.ts";

const details = suite("engine/containers: details");
let sandbox: Sandbox;
let client: EngineClient;
details.before(async () => {
  sandbox = await Sandbox.open();
  client = sandbox.client;
});
details.after(() => sandbox?.close());

/** A container that runs until the work is done. */
async function running(options: Options, work: (id: string) => Promise<void>): Promise<void> {
  const { Id } = await client.createContainer({ Image: "busybox", Cmd: ["sleep", "100"], ...options });
  try {
    await client.startContainer(Id);
    await work(Id);
  } finally {
    await client.removeContainer(Id, { force: true, volumes: true });
  }
}

const refused = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "accepted",
    (error: Error) => error.message,
  );

async function execute(id: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await sandbox.docker([
    "exec",
    ...args.slice(0, -1),
    id,
    "sh",
    "-c",
    args.at(-1) ?? "",
  ]);
  return (stdout + stderr).trim();
}

details("--ipc: none has no /dev/shm, shareable one of the size asked for, which others join", async () => {
  const { shm } = await probe(client, { shm: "ls /dev/shm" }, { HostConfig: { IpcMode: "none" } });
  assert.match(shm, "No such file");
  const size = "df -k /dev/shm | awk 'END { print $1, $2 }'";
  await running({ HostConfig: { IpcMode: "shareable", ShmSize: 1 << 20 } }, async (id) => {
    await execute(id, ["echo shared >/dev/shm/f"]);
    const HostConfig = { IpcMode: `container:${id}` };
    const seen = await probe(client, { size, file: "cat /dev/shm/f" }, { HostConfig });
    assert.equal(seen, { size: "shm 1024", file: "shared" });
  });
  const { mounts } = await hostMounts();
  assert.is(mounts, "", "what it shared is taken away with it");
});

async function hostMounts(): Promise<{ readonly mounts: string }> {
  const { stdout } = await sandbox.inside([
    "sh",
    "-c",
    `grep ${sandbox.execRoot}/shm /proc/self/mountinfo || true`,
  ]);
  return { mounts: stdout.trim() };
}

details("exec: --privileged keeps the filter of system calls, -w must be absolute", () =>
  running({}, async (id) => {
    const status = "grep -E 'CapEff|Seccomp:' /proc/self/status | cut -f2 | xargs";
    const [capabilities = "", filter] = (await execute(id, ["--privileged", status])).split(" ");
    assert.ok(BigInt(`0x${capabilities}`) > 0xa80425fbn, capabilities);
    assert.is(filter, "2");
    assert.match(await execute(id, ["-w", "relative", "pwd"]), "Cwd must be an absolute path");
  }),
);

details("update: what it warns of and refuses", () =>
  running({ HostConfig: { NanoCpus: 1e9 } }, async (id) => {
    const update = (body: object): Promise<string> => refused(client.updateContainer(id, body));
    assert.match(await update({ CpuQuota: 50_000 }), "CPU Quota cannot be updated as NanoCPUs has already");
    assert.match(await update({ CpusetCpus: "999" }), "Requested CPUs are not available - requested 999");
    assert.match(
      await update({ RestartPolicy: { Name: "always", MaximumRetryCount: 3 } }),
      "maximum retry count",
    );
    assert.match(await update({ Memory: "much" }), "cannot unmarshal string");
    assert.is(await update({ PidsLimit: 20 }), "accepted");
    assert.is(
      await execute(id, ["cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null"]),
      "20",
    );
    assert.is(await update({ PidsLimit: -1 }), "accepted");
    assert.is(
      await execute(id, ["cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null"]),
      "max",
    );
  }),
);

details("health: a probe that hangs shows what it wrote, a stopped container is unhealthy", () =>
  running(
    {
      Healthcheck: { Test: ["CMD-SHELL", "echo partial; sleep 20"], Interval: 2e8, Timeout: 3e8, Retries: 1 },
      HostConfig: { RestartPolicy: { Name: "no" } },
    },
    async (id) => {
      const health = async () => (await client.inspectContainer(id)).State.Health;
      await until("a probe has run", async () => ((await health())?.Log?.length ?? 0) > 0, 5000);
      const [first] = (await health())?.Log ?? [];
      assert.is(first?.Output, "Health check exceeded timeout (300ms): partial\n");
      assert.is(first?.ExitCode, -1);
      await client.stopContainer(id, { timeout: 0 });
      assert.is((await health())?.Status, "unhealthy");
    },
  ),
);

details("health: a probe that is not there says so in the words of exec", () =>
  running({ Healthcheck: { Test: ["CMD", "nosuch"], Interval: 2e8 } }, async (id) => {
    const log = async () => (await client.inspectContainer(id)).State.Health?.Log ?? [];
    await until("a probe has run", async () => (await log()).length > 0, 5000);
    assert.match((await log())[0]?.Output ?? "", 'exec: "nosuch": executable file not found in $PATH');
  }),
);

details("resize: a size is needed, no terminal is no error, no process is a conflict", () =>
  running({}, async (id) => {
    assert.is(await refused(client.resizeContainer(id, { rows: 10, columns: 20 })), "accepted");
    await client.stopContainer(id, { timeout: 0 });
    assert.match(await refused(client.resizeContainer(id, { rows: 10, columns: 20 })), "is not running");
  }),
);

const published = {
  ExposedPorts: { "80/tcp": {} },
  HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "8098" }] } },
};

details("ps: values of filters are checked, and an image that lost its name is shown by its id", () =>
  running({ Labels: { only: "this" }, ...published }, async (id) => {
    const list = (...filters: readonly string[]) =>
      sandbox.docker([
        "ps",
        "-a",
        ...filters.flatMap((one) => ["--filter", one]),
        "--format",
        "{{.ID}} {{.Image}}",
      ]);
    for (const bad of ["exited=x", "health=odd", "publish=x", "is-task=x", "status=odd"]) {
      assert.is((await list(bad)).status, 1, bad);
    }
    assert.is((await list("is-task=true")).stdout, "");
    // The machine's port is published, the container's is exposed.
    for (const [filter, found] of [
      ["publish=8098", true],
      ["publish=8000-8099/tcp", true],
      ["publish=80", false],
      ["publish=8098/udp", false],
      ["expose=80", true],
    ] as const) {
      assert.is((await list("label=only=this", filter)).stdout !== "", found, filter);
    }
    await client.commitContainer(id, { repo: "named", tag: "1" });
    const { Id } = await client.createContainer({
      Image: "named:1",
      Cmd: ["true"],
      Labels: { only: "that" },
    });
    await sandbox.docker(["rmi", "-f", "named:1"]);
    assert.match((await list("label=only=that")).stdout, /^\w{12} [0-9a-f]{12}\n$/);
    await client.removeContainer(Id);
  }),
);

details(
  "cp: a container that was never started has its volumes, and what is read-only stays so",
  async () => {
    const HostConfig = { ReadonlyRootfs: true, Binds: ["/vol", `${sandbox.directory}:/host:ro`] };
    const { Id } = await client.createContainer({ Image: "busybox", Cmd: ["cat", "/vol/f"], HostConfig });
    try {
      const put = (path: string) =>
        refused(client.putArchive(Id, path, makeTar([{ path: "f", content: "in" }])));
      assert.is(await put("/vol"), "accepted");
      assert.match(await put("/host"), "mounted volume is marked read-only");
      assert.match(await put("/etc"), "container rootfs is marked read-only");
      assert.is((await client.statPath(Id, "/vol/f")).size, 2);
      await client.startContainer(Id);
      await client.waitContainer(Id);
      assert.is((await sandbox.docker(["logs", Id])).stdout, "in");
    } finally {
      await client.removeContainer(Id, { force: true, volumes: true });
    }
  },
);

details("-v with rshared and rslave: mounts go between host and container as asked", async () => {
  const directory = join(sandbox.directory, "shared");
  mkdirSync(directory);
  await sandbox.inside([
    "sh",
    "-ec",
    `mount -t tmpfs none ${directory}; mkdir ${directory}/in ${directory}/out`,
  ]);
  const bind = (propagation: string) => ({
    HostConfig: { Privileged: true, Binds: [`${directory}:/m:${propagation}`] },
  });
  try {
    const { Id } = await client.createContainer({ Image: "busybox", Cmd: ["true"], ...bind("rshared") });
    assert.match(await refused(client.startContainer(Id)), "but it is not a shared mount");
    await client.removeContainer(Id);
    await sandbox.inside(["mount", "--make-shared", directory]);
    for (const [propagation, out, into] of [
      ["rshared", "1", "1"],
      ["rslave", "0", "1"],
      ["rprivate", "0", "0"],
    ] as const) {
      await running(bind(propagation), async (id) => {
        await execute(id, ["mount -t tmpfs none /m/out"]);
        await sandbox.inside(["mount", "-t", "tmpfs", "none", `${directory}/in`]);
        const { stdout } = await sandbox.inside([
          "sh",
          "-c",
          `grep -c ${directory}/out /proc/self/mountinfo`,
        ]);
        assert.is(stdout.trim(), out, `${propagation}: of the container on the host`);
        assert.is(
          await execute(id, ["grep -c ' /m/in ' /proc/self/mountinfo"]),
          into,
          `${propagation}: inside`,
        );
      });
      await sandbox.inside(["sh", "-c", `umount ${directory}/in ${directory}/out 2>/dev/null`]);
    }
  } finally {
    await sandbox.inside(["umount", "-R", directory]);
  }
});

details("stop, kill and rm -f end a container that somebody pauses at the same time", async () => {
  for (const end of [
    (id: string) => client.stopContainer(id, { timeout: 0 }),
    (id: string) => client.killContainer(id, { signal: "KILL" }),
    (id: string) => client.removeContainer(id, { force: true }),
  ]) {
    for (let round = 0; round < 4; round++) {
      await running({ Cmd: ["sh", "-c", "trap '' TERM; while true; do sleep 0.05; done"] }, async (id) => {
        const pausing = client.pauseContainer(id).catch(() => {}); // It may have ended before.
        await new Promise((resolve) => setTimeout(resolve, round));
        await Promise.all([end(id), pausing]);
        const left = await client.inspectContainer(id).catch(() => undefined);
        assert.is(left?.State.Running ?? false, false);
      }).catch((error: Error) => assert.match(error.message, "No such container"));
    }
  }
});

details("rm -f in the midst of a start leaves nothing that runs", async () => {
  const groups = () =>
    sandbox.inside(["sh", "-c", `ls -d /sys/fs/cgroup/*/${sandbox.cgroupParent}/*/ 2>/dev/null | wc -l`]);
  await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const { Id } = await client.createContainer({ Image: "busybox", Cmd: ["sleep", "100"] });
      const starting = client.startContainer(Id).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, index * 3));
      await client.removeContainer(Id, { force: true });
      await starting;
    }),
  );
  assert.equal(await client.listContainers({ all: true }), []);
  assert.is((await groups()).stdout.trim(), "0");
});

details("commit: HEALTHCHECK and a relative WORKDIR among the changes", () =>
  running({ WorkingDir: "/srv" }, async (id) => {
    const changes = ["HEALTHCHECK --interval=5s --retries=2 CMD test -f /ok", "WORKDIR app"];
    await sandbox.docker(["commit", "-m", "why", ...changes.flatMap((one) => ["-c", one]), id, "changed:1"]);
    const { Config, Comment } = await client.inspectImage("changed:1");
    const { Healthcheck, WorkingDir } = Config as { Healthcheck?: object; WorkingDir?: string };
    assert.equal(Healthcheck, { Test: ["CMD-SHELL", "test -f /ok"], Interval: 5e9, Retries: 2 });
    assert.equal([WorkingDir, Comment], ["/srv/app", "why"]);
    const { stderr } = await sandbox.docker(["commit", "-c", "RUN true", id]);
    assert.match(stderr, "RUN is not a valid change command");
  }),
);

details.run();
