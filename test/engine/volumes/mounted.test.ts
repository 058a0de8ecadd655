/** Volumes that are file systems of their own. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { must } from "../../helpers/command.ts";
import { Sandbox } from "../../helpers/sandbox.ts";

const volumes = suite("engine/volumes/mounted");

let sandbox: Sandbox;
volumes.before(async () => {
  sandbox = await Sandbox.open();
});
volumes.after(() => sandbox?.close());

/** Starts a container that has the volume at /x, and waits for its end unless it is to stay. */
async function start(name: string, script: string): Promise<string> {
  const { client } = sandbox;
  const { Id } = await client.createContainer({
    name,
    Image: "busybox",
    Cmd: ["sh", "-c", script],
    HostConfig: { Binds: ["memory:/x"] },
  });
  await client.startContainer(Id);
  return Id;
}

const mounts = (): Promise<string> =>
  must(["grep", "-c", `${sandbox.dataRoot}/volumes`, "/proc/mounts"]).catch(() => "0");

volumes("a tmpfs is shared by the containers that use it, and gone with the last of them", async () => {
  const { client } = sandbox;
  await client.createVolume({
    Name: "memory",
    DriverOpts: { type: "tmpfs", device: "tmpfs", o: "size=1m,noexec" },
  });
  assert.is((await mounts()).trim(), "0");
  const first = await start("first", "echo hello >/x/file; sleep 1000");
  const second = await start(
    "second",
    "until [ -s /x/file ]; do :; done; [ $(cat /x/file) = hello ] && df /x | grep -q 1024",
  );
  assert.is((await client.waitContainer(second)).StatusCode, 0);
  assert.is((await mounts()).trim(), "1");
  await sandbox.kill9();
  await sandbox.start();
  await client.removeContainer(first, { force: true });
  assert.is((await mounts()).trim(), "0");
  await client.removeContainer(second);
  const third = await start("third", "[ ! -e /x/file ]");
  assert.is((await client.waitContainer(third)).StatusCode, 0);
  await client.removeContainer(third);
  await client.removeVolume("memory");
});

volumes("what cannot be mounted is told when a container starts", async () => {
  await sandbox.client.createVolume({ Name: "memory", DriverOpts: { type: "nosuchfs", device: "none" } });
  const failed = await start("broken", "true").catch((error: Error) => error.message);
  assert.match(failed, /failed to mount local volume: mount none:.*memory\/_data: No such device/);
});

volumes.run();
