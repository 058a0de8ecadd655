/**
 * `--storage-opt size`, on a file system with project quotas that is made for it in a file. A kernel without them gets to
 * the refusal alone; test/v2/run.sh boots one that has them.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { storageSize } from "../../../engine/containers/quota.ts";
import { must, run } from "../../helpers/command.ts";
import { Sandbox } from "../../helpers/sandbox.ts";
import { runToEnd } from "./probe.ts";

const quota = suite("engine/containers/quota");

for (const [size, bytes] of [
  ["10", 10],
  ["64m", 64 << 20],
  ["1.5G", 1.5 * 2 ** 30],
  ["2 GiB", 2 * 2 ** 30],
] as const) {
  quota(`${size} are ${bytes} bytes`, () => assert.is(storageSize({ StorageOpt: { size } }), bytes));
}

for (const [option, message] of [
  [{ size: "much" }, "invalid size: 'much'"],
  [{ size: "0" }, "invalid size: '0'"],
  [{ inodes: "5" }, "Unknown option inodes"],
] as const) {
  quota(`${JSON.stringify(option)} is refused`, () => {
    assert.throws(
      () => storageSize({ StorageOpt: option }),
      (error: Error) => error.message === message,
    );
  });
}

const limited = { StorageOpt: { size: "20m" } };

quota("a file system without project quotas is named as the reason", async () => {
  await using sandbox = await Sandbox.open();
  const error = await runToEnd(sandbox.client, { Cmd: ["true"], HostConfig: limited }).then(
    () => "accepted",
    (reason: Error) => reason.message,
  );
  assert.match(error, "--storage-opt is supported only where the data root has project quotas");
  assert.match(error, "no project quotas on the file system of");
  assert.equal(await sandbox.client.listContainers({ all: true }), []);
});

quota("a container writes as much as it may, and the next one anew", async () => {
  const [image, parent] = ["/var/tmp/quota-slw.xfs", "/var/tmp/quota-slw"];
  await must(["truncate", "-s", "320M", image]);
  await must(["mkdir", "-p", parent]);
  try {
    const made = await run(["mkfs.xfs", "-q", image]);
    const mounted = made.status === 0 ? await run(["mount", "-o", "loop,pquota", image, parent]) : made;
    if (mounted.status !== 0) return; // A kernel without quotas, or a machine without mkfs.xfs.
    await using sandbox = await Sandbox.open({ parent });
    const write = "dd if=/dev/zero of=/f bs=1M count=15 && echo first; dd if=/dev/zero of=/g bs=1M count=15";
    const Cmd = ["sh", "-c", `{ ${write}; } 2>&1`];
    for (let round = 0; round < 2; round++) {
      const { output } = await runToEnd(sandbox.client, { Cmd, HostConfig: limited });
      assert.match(output, "first");
      assert.match(output, /No space left|quota exceeded/i);
    }
    assert.not.match((await runToEnd(sandbox.client, { Cmd })).output, /No space left/);
  } finally {
    await run(["umount", "-l", parent]);
    await run(["rm", "-rf", parent, image]);
  }
});

quota.run();
