/** A full disk: what runs goes on, what a person needs to make space works, and what cannot be done says why. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { must, run, until } from "../../helpers/command.ts";
import { Sandbox } from "../../helpers/sandbox.ts";

const full = suite("engine/containers: a full disk");

full(
  "containers are stopped, killed, paused, run into and removed, by this daemon and the next",
  async () => {
    const parent = "/var/tmp/full-slw";
    mkdirSync(parent, { recursive: true });
    await must(["mount", "-t", "tmpfs", "-o", "size=64m", "none", parent]);
    try {
      await using sandbox = await Sandbox.open({ parent });
      const { client } = sandbox;
      const start = async (name: string, script: string): Promise<void> => {
        const Cmd = ["sh", "-c", script];
        const { Id } = await client.createContainer({ Image: "busybox", name, Cmd });
        await client.startContainer(Id);
      };
      const refused = (work: Promise<unknown>): Promise<string> =>
        work.then(
          () => "accepted",
          (error: Error) => error.message,
        );
      const status = async (name: string) => (await client.inspectContainer(name)).State;
      await start("counter", "i=0; while true; do echo line $i; i=$((i+1)); sleep 0.02; done");
      await start("short", "while [ ! -e /tmp/go ]; do sleep 0.05; done; exit 7");
      await start("filler", "cat /dev/zero >/f; sleep 100");
      /** kB. */
      const free = async (): Promise<number> =>
        Number((await run(["df", "--output=avail", parent])).stdout.trim().split("\n").at(-1));
      await until("the disk is full", async () => (await free()) === 0, 10_000);
      // The tail of the last page, too.
      await run(["sh", "-c", `cat /dev/zero >${join(parent, "rest")}`]);

      assert.match(
        await refused(client.createContainer({ Image: "busybox", name: "late", Cmd: ["true"] })),
        "ENOSPC",
      );
      assert.match(await refused(client.renameContainer("counter", "other")), "ENOSPC");
      assert.is((await sandbox.docker(["exec", "filler", "echo", "works"])).stdout, "works\n");
      await client.pauseContainer("filler");
      await client.unpauseContainer("filler");
      await sandbox.docker(["exec", "short", "mkdir", "/tmp/go"]);
      await until("it has ended", async () => (await status("short")).Status === "exited", 5000);
      await client.stopContainer("counter", { timeout: 0 });
      assert.is((await status("counter")).Running, false);

      await sandbox.kill9();
      await sandbox.start();
      client.close();
      assert.is((await status("filler")).Running, true);
      assert.equal([(await status("short")).Status, (await status("short")).ExitCode], ["exited", 7]);
      await client.removeContainer("filler", { force: true });
      await run(["rm", join(parent, "rest")]);
      // What is removed is unlinked in the background.
      await until("there is space again", async () => (await free()) > 10_000, 5000);
      await start("late", "echo hi");
      assert.match((await sandbox.docker(["logs", "-n", "1", "counter"])).stdout, /^line \d+\n$/);
      for (const name of ["counter", "short", "late"]) await client.removeContainer(name, { force: true });
    } finally {
      await run(["umount", "-l", parent]);
      await run(["rmdir", parent]);
    }
  },
);

full.run();
