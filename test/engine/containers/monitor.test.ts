/** The monitor is killed, which nothing but a person or the kernel does: the container ends, and nothing of it stays. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { until } from "../../helpers/command.ts";
import { Sandbox } from "../../helpers/sandbox.ts";

const monitor = suite("engine/containers: a killed monitor");
let sandbox: Sandbox;
monitor.before(async () => {
  sandbox = await Sandbox.open();
});
monitor.after(() => sandbox?.close());

/** The parent of a container's first process. */
function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** The container's cgroups, in whichever hierarchies there are. */
function groups(id: string): string[] {
  const roots = [
    "/sys/fs/cgroup",
    ...readdirSync("/sys/fs/cgroup").map((name) => join("/sys/fs/cgroup", name)),
  ];
  return roots.map((root) => join(root, sandbox.cgroupParent, id)).filter((path) => existsSync(path));
}

monitor("its container ends with 255, and a restart policy starts it again", async () => {
  const { client } = sandbox;
  for (const Name of ["no", "always"]) {
    const { Id } = await client.createContainer({
      Image: "busybox",
      Cmd: ["sleep", "1000"],
      HostConfig: { RestartPolicy: { Name } },
    });
    await client.startContainer(Id);
    const before = (await client.inspectContainer(Id)).State.Pid;
    process.kill(parentOf(before), "SIGKILL");
    if (Name === "no") {
      await until("it has ended", async () => (await client.inspectContainer(Id)).State.Status === "exited");
      assert.is((await client.inspectContainer(Id)).State.ExitCode, 255);
      assert.equal(groups(Id), []);
    } else {
      await until("it runs again", async () => {
        const { State } = await client.inspectContainer(Id);
        return State.Running && State.Pid !== before;
      });
    }
    await client.removeContainer(Id, { force: true });
    assert.equal(groups(Id), []);
  }
});

monitor.run();
