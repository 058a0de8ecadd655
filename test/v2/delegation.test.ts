/**
 * Limits of an ordinary user's containers, where the user was given a cgroup: what a systemd user manager does, done
 * here by hand. For run.sh, as root of a machine whose cgroups are v2 alone.
 */
import { chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { UID, User } from "../engine/native/user.ts";
import { busyboxTar } from "../helpers/busybox.ts";
import { until } from "../helpers/command.ts";

const ROOT = "/sys/fs/cgroup";
const given = join(ROOT, "slw-given");

/** @see systemd's "Control Group APIs and Delegation": the directory and these three files are the user's. */
function delegate(): void {
  for (const controller of readFileSync(join(ROOT, "cgroup.controllers"), "utf8").trim().split(" ")) {
    writeFileSync(join(ROOT, "cgroup.subtree_control"), `+${controller}`);
  }
  mkdirSync(given);
  for (const name of ["", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"]) {
    chownSync(join(given, name), UID, UID);
  }
}

function removeAll(directory: string): void {
  const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of below) removeAll(join(directory, name));
  rmdirSync(directory);
}

const delegation = suite("v2/delegation");

delegation("a user's containers have limits where the user has a cgroup", async () => {
  delegate();
  try {
    await using user = await User.open({ programs: ["newuidmap", "newgidmap"], cgroup: given });
    await user.start();
    await user.client.importImage(busyboxTar(), { reference: "busybox:latest", changes: ['CMD ["sh"]'] });
    const out = async (...args: readonly string[]): Promise<string> => {
      const { stdout, stderr } = await user.docker(...args);
      return stdout + stderr;
    };
    assert.match(
      await out("info", "-f", "{{.CgroupDriver}} {{.CgroupVersion}} {{.Warnings}}"),
      "cgroupfs 2 []",
    );

    const limits = ["-m", "64m", "--memory-reservation", "32m", "--cpus", "0.5", "--pids-limit", "50"];
    const files = ["memory.max", "memory.low", "cpu.max", "pids.max", "cgroup.procs"].map(
      (name) => `${ROOT}/${name}`,
    );
    const read = await out("run", "--rm", ...limits, "--cpu-shares", "512", "busybox", "cat", ...files);
    assert.is(read, `${64 << 20}\n${32 << 20}\n50000 100000\n50\n1\n`, "and no warning");

    await out("run", "-d", "--name", "one", ...limits, "busybox", "sleep", "1000");
    assert.match(
      await out("stats", "--no-stream", "--format", "{{.MemUsage}} {{.PIDs}}", "one"),
      /\/ 64MiB 1$/m,
    );
    await out("update", "--pids-limit", "60", "one");
    assert.is(await out("exec", "one", "cat", `${ROOT}/pids.max`), "60\n");
    assert.is(await out("pause", "one"), "one\n");
    assert.match(await out("ps"), "(Paused)");
    assert.is(await out("unpause", "one"), "one\n");
    assert.match(await out("top", "one", "-eo", "pid,comm"), /^\d+ +sleep$/m);
    await out("rm", "-f", "one");

    await out("run", "--name", "hungry", "-m", "16m", "busybox", "sh", "-c", "tail /dev/zero");
    await until(
      "it was killed",
      async () => (await out("inspect", "-f", "{{.State.Status}}", "hungry")) === "exited\n",
    );
    assert.is(await out("inspect", "-f", "{{.State.ExitCode}} {{.State.OOMKilled}}", "hungry"), "137 true\n");
    await out("rm", "hungry");
  } finally {
    removeAll(given);
  }
});

delegation.run();
