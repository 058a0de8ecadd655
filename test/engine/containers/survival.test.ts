/**
 * The daemon is killed at each moment of a container's life, and started again: it must know every container, its
 * output and exit code, and leave nothing behind. SLIPWAY_ROUNDS repeats it.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CHECKPOINTS } from "../../../engine/containers/checkpoint.ts";
import type { EngineClient } from "../../../src/client/client.ts";
import { until } from "../../helpers/command.ts";
import { Sandbox } from "../../helpers/sandbox.ts";

const survival = suite("engine/containers: a killed daemon");
let sandbox: Sandbox;
survival.before(async () => {
  sandbox = await Sandbox.open();
});
survival.after(() => sandbox?.close());
survival.after.each(() =>
  sandbox.client.removeContainer("mortal", { force: true, volumes: true }).catch(() => {}),
);

/** Counts on stdout until it is told to end, with a code of its own. */
const PROGRAM = ["sh", "-c", "trap 'exit 7' TERM; i=0; while true; do echo $i; i=$((i+1)); sleep 0.01; done"];

/** A container's whole life. It breaks off where the daemon is killed. */
async function live(client: EngineClient): Promise<void> {
  const { Id } = await client.createContainer({
    Image: "busybox",
    name: "mortal",
    Cmd: PROGRAM,
    ExposedPorts: { "80/tcp": {} },
    HostConfig: { Binds: ["/anonymous"], PortBindings: { "80/tcp": [{ HostPort: "8099" }] } },
  });
  await client.startContainer(Id);
  const exec = await client.createExec(Id, { Cmd: ["true"], AttachStdout: true });
  await client.startExecDetached(exec);
  await client.stopContainer(Id, { timeout: 5 });
  await client.removeContainer(Id, { volumes: true });
}

/** The client may hold connections to the daemon that is gone; the first calls find that out. */
async function freshConnection(client: EngineClient): Promise<void> {
  const answers = (): Promise<boolean> =>
    client.ping().then(
      () => true,
      () => false,
    );
  await until("the new daemon answers", answers);
}

/** What must hold of whatever container is left. */
async function check(client: EngineClient): Promise<string> {
  const containers = await client.listContainers({ all: true });
  assert.ok(containers.length <= 1);
  const [found] = containers;
  if (found === undefined) return "gone";
  const { State } = await client.inspectContainer(found.Id);
  assert.is(State.Running, State.Pid !== 0);
  assert.is(existsSync(`/proc/${State.Pid}`), State.Running);
  if (State.Status === "exited") assert.is(State.ExitCode, 7, State.Error);
  if (State.Status === "created") return State.Status;
  let output = "";
  for await (const { data } of client.logs(found.Id, { stdout: true, stderr: true }))
    output += data.toString();
  const lines = output.trim().split("\n");
  assert.equal(
    lines,
    lines.map((_, index) => String(index)),
  );
  return State.Status;
}

const rounds = Number(process.env["SLIPWAY_ROUNDS"] ?? 1);
for (let round = 1; round <= rounds; round++) {
  for (const name of CHECKPOINTS) {
    survival(`killed at "${name}"${rounds > 1 ? ` (round ${round})` : ""}`, async () => {
      await sandbox.stop();
      process.env["SLIPWAY_KILL_AT"] = name;
      try {
        await sandbox.start();
      } finally {
        delete process.env["SLIPWAY_KILL_AT"];
      }
      await freshConnection(sandbox.client);
      const error = await live(sandbox.client).then(
        () => new Error("it was not killed"),
        (reason: Error) => reason,
      );
      assert.not.match(error.message, "not killed");
      const { pid } = sandbox;
      await until(`the daemon is gone: ${error.message}`, () => !existsSync(`/proc/${pid}/exe`), 2000);
      await sandbox.start();
      await freshConnection(sandbox.client);
      const state = await check(sandbox.client);
      if (state !== "gone") await sandbox.client.removeContainer("mortal", { force: true, volumes: true });
      assert.equal(readdirSync(join(sandbox.execRoot, "containers")), []);
      assert.equal(readdirSync(join(sandbox.dataRoot, "containers")), []);
      assert.equal((await sandbox.client.listVolumes()).length, 0);
      assert.equal((await sandbox.client.inspectNetwork("bridge")).Containers, {});
    });
  }
}

/** A container whose program ends with 7, 0.6 s after its start; and the daemon, which is killed at once. */
async function startAndKill(): Promise<{ id: string; before: number; after: number }> {
  const { client } = sandbox;
  await freshConnection(client);
  const Cmd = ["sh", "-c", "sleep 0.6; exit 7"];
  const { Id } = await client.createContainer({ Image: "busybox", name: "mortal", Cmd });
  const before = Date.now();
  await client.startContainer(Id);
  const after = Date.now();
  await sandbox.kill9();
  return { id: Id, before, after };
}

survival("a program keeps the time of its start, though nobody has written it down", async () => {
  const { before, after } = await startAndKill();
  await sandbox.start();
  await freshConnection(sandbox.client);
  const { State } = await sandbox.client.inspectContainer("mortal");
  assert.ok(State.Status === "running" || State.ExitCode === 7, State.Status);
  const began = Date.parse(State.StartedAt);
  assert.ok(began >= before - 1 && began <= after + 1, `${before} ${State.StartedAt} ${after}`);
});

survival("a program that ended before anybody wrote that it ran has its code and times", async () => {
  const { id, before, after } = await startAndKill();
  await until("its record is there", () => existsSync(join(sandbox.dataRoot, "containers", id, "exit")));
  await sandbox.start();
  await freshConnection(sandbox.client);
  const { State } = await sandbox.client.inspectContainer("mortal");
  assert.is(`${State.Status} ${State.ExitCode}`, "exited 7");
  const [began, ended] = [Date.parse(State.StartedAt), Date.parse(State.FinishedAt)];
  assert.ok(began >= before - 1 && began <= after + 1, `${before} ${State.StartedAt} ${after}`);
  assert.ok(ended - began >= 590, `${State.StartedAt} ${State.FinishedAt}`);
});

survival.run();
