/** The machine goes down and comes up: what is on disk is all that is left, and restart policies decide. */
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { until } from "../../helpers/command.ts";
import { Sandbox } from "../../helpers/sandbox.ts";

const reboot = suite("engine/containers: a reboot");

/** Takes away all that a machine loses: processes, cgroups, links, and what lies in /run. */
async function pullThePlug(sandbox: Sandbox): Promise<void> {
  await sandbox.kill9();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const text = (file: string): string => {
      try {
        return readFileSync(`/proc/${pid}/${file}`, "utf8");
      } catch {
        return ""; // It has gone meanwhile.
      }
    };
    if (text("cgroup").includes(`/${sandbox.cgroupParent}/`) || text("cmdline").includes(sandbox.execRoot)) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // Its monitor took it along.
      }
    }
  }
  const roots = ["", ...readdirSync("/sys/fs/cgroup")].map((name) =>
    join("/sys/fs/cgroup", name, sandbox.cgroupParent),
  );
  const groups = roots
    .filter(existsSync)
    .flatMap((root) =>
      readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? [join(root, entry.name)] : [],
      ),
    );
  // What is frozen dies when it is thawed.
  for (const [file, value] of [
    ["freezer.state", "THAWED"],
    ["cgroup.freeze", "0"],
  ] as const) {
    for (const group of groups) if (existsSync(join(group, file))) writeFileSync(join(group, file), value);
  }
  for (const group of groups) await until("a cgroup is empty", () => removed(group), 3000);
  const { stdout } = await sandbox.inside(["ip", "-o", "link"]);
  for (const [, link = ""] of stdout.matchAll(/^\d+: ([^:@]+)/gm)) {
    if (link !== "lo") await sandbox.inside(["ip", "link", "delete", link]);
  }
  await sandbox.inside(["sh", "-c", `umount ${sandbox.execRoot}/shm/* 2>/dev/null; true`]);
  for (const name of readdirSync(sandbox.execRoot))
    rmSync(join(sandbox.execRoot, name), { recursive: true, force: true });
}

/** One hierarchy may be seen at two places. */
function removed(group: string): boolean {
  try {
    if (existsSync(group)) rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}

reboot("policies bring back what they want, the rest is told as it ended", async () => {
  await using sandbox = await Sandbox.open();
  const { client } = sandbox;
  const start = async (name: string, options: object = {}): Promise<void> => {
    const Cmd = ["sh", "-c", "echo up; trap 'exit 0' TERM; while true; do sleep 0.1; done"];
    const { Id } = await client.createContainer({ Image: "busybox", name, Cmd, ...options });
    await client.startContainer(Id);
  };
  const policy = (Name: string, more: object = {}) => ({ HostConfig: { RestartPolicy: { Name }, ...more } });
  await client.createNetwork({ Name: "net" });
  await start("always", {
    ExposedPorts: { "80/tcp": {} },
    HostConfig: {
      ...policy("always").HostConfig,
      NetworkMode: "net",
      IpcMode: "shareable",
      Binds: ["kept:/data"],
      PortBindings: { "80/tcp": [{ HostPort: "8091" }] },
    },
  });
  await start("unless", policy("unless-stopped"));
  await start("failure", policy("on-failure"));
  await start("paused", policy("always"));
  await start("none");
  await start("removed", { HostConfig: { AutoRemove: true } });
  await start("stopped", policy("unless-stopped"));
  await start("always-stopped", policy("always"));
  await client.stopContainer("stopped");
  await client.stopContainer("always-stopped");
  await client.pauseContainer("paused");
  // What has no restart policy is on disk some time later than it starts.
  for (const name of ["none", "removed"]) {
    const { Id } = await client.inspectContainer(name);
    const record = join(sandbox.dataRoot, "containers", `${Id}.json`);
    await until(
      `${name} is on disk`,
      () => readFileSync(record, "utf8").includes('"status":"running"'),
      3000,
    );
  }

  await pullThePlug(sandbox);
  await sandbox.start();
  client.close();
  const states = async (): Promise<Readonly<Record<string, string>>> => {
    const all = await client.listContainers({ all: true });
    return Object.fromEntries(all.map(({ Names, State }) => [Names[0] ?? "", State]));
  };
  const wanted = {
    "/always": "running",
    "/always-stopped": "running",
    "/failure": "running",
    "/none": "exited",
    "/paused": "running",
    "/stopped": "exited",
    "/unless": "running",
  };
  const sorted = async () => JSON.stringify(Object.entries(await states()).sort());
  await until(
    "the policies have done their work",
    async () => (await sorted()) === JSON.stringify(Object.entries(wanted)),
    10_000,
  ).catch(async () => assert.equal(await states(), wanted));
  const { State } = await client.inspectContainer("none");
  assert.equal([State.ExitCode, State.Pid, State.Running], [255, 0, false]);
  assert.is((await client.inspectContainer("stopped")).State.ExitCode, 0);
  const { NetworkSettings } = await client.inspectContainer("always");
  assert.is(NetworkSettings.Ports["80/tcp"]?.[0]?.HostPort, "8091");
  assert.is((await sandbox.docker(["logs", "always"])).stdout, "up\nup\n");
  for (const name of Object.keys(wanted)) await client.removeContainer(name.slice(1), { force: true });
  await client.removeNetwork("net");
});

reboot.run();
