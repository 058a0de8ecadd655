/** The default daemon is started by whoever needs it first, once. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { clientOf } from "../../src/client/connect.ts";
import { busyboxTar } from "../helpers/busybox.ts";
import { until } from "../helpers/command.ts";
import { Sandbox } from "../helpers/sandbox.ts";

const start = suite("contract/start");
let sandbox: Sandbox;
start.before(async () => {
  sandbox = await Sandbox.open({ busybox: false });
});
start.after(() => sandbox?.close());

const root = join(import.meta.dirname, "../..");

/** Has a process of its own, in the sandbox's network namespace, start a daemon at `directory`. */
function starter(directory: string, env: Record<string, string> = {}) {
  const places = {
    dataRoot: join(directory, "data"),
    execRoot: join(directory, "run"),
    socket: join(directory, "run", "slipway.sock"),
    log: join(directory, "data", "daemon.log"),
  };
  const script = `import { startDaemon } from ${JSON.stringify(join(root, "src/client/start.ts"))};
    await startDaemon(${JSON.stringify(places)}, (log) => console.log("starting", log)).catch((error) => {
      console.error(error.message, error.frame);
      process.exitCode = 1;
    });`;
  return sandbox.inside([process.execPath, "--input-type=module", "--eval", script], {
    env: { ...process.env, ...env },
  });
}

start("of several that find no daemon one starts it, and it outlives them", async () => {
  const directory = mkdtempSync(join(sandbox.directory, "place-"));
  const results = await Promise.all([starter(directory), starter(directory), starter(directory)]);
  for (const { status, stderr } of results) assert.is(status, 0, stderr);
  assert.is(results.filter(({ stdout }) => stdout.startsWith("starting")).length, 1);

  const socketPath = join(directory, "run", "slipway.sock");
  const client = clientOf(`unix://${socketPath}`, { socketPath });
  const version = await client.version();
  const details = version.Components?.find(({ Name }) => Name === "Slipway")?.Details ?? {};
  assert.is(details["Log"], join(directory, "data", "daemon.log"));
  assert.match(readFileSync(details["Log"] ?? "", "utf8"), / info {2}serving socket=/);
  client.close();

  process.kill(Number(details["Pid"]), "SIGTERM");
  await until("the daemon has stopped", () =>
    readFileSync(details["Log"] ?? "", "utf8").includes(" stopped\n"),
  );
  rmSync(directory, { recursive: true });
});

start("a daemon that cannot start is explained by its log", async () => {
  const directory = mkdtempSync(join(sandbox.directory, "place-"));
  const { status, stderr } = await starter(directory, { SLIPWAY_NATIVE: "/no/program" });
  assert.is.not(status, 0);
  assert.match(stderr, /the engine could not be started: it ended at once with status 1/);
  assert.match(stderr, /\/no\/program/);
  rmSync(directory, { recursive: true });
});

start("a second daemon leaves a data root alone that has one", async () => {
  const options = sandbox.daemonOptions().filter((option) => option !== "--host" && option !== sandbox.host);
  const argv = [
    process.execPath,
    join(root, "engine/main.ts"),
    "--host",
    `unix://${sandbox.directory}/other.sock`,
  ];
  const { status, stderr } = await sandbox.inside([...argv, ...options]);
  assert.is(status, 1);
  assert.match(stderr, new RegExp(`another daemon \\(process ${sandbox.pid}\\) uses this data root`));
});

start(
  "a daemon whose native program is killed ends; the next one knows the containers, which ran on",
  async () => {
    await sandbox.client.importImage(busyboxTar(), { reference: "busybox" });
    const { Id } = await sandbox.client.createContainer({ Image: "busybox", Cmd: ["sleep", "1000"] });
    await sandbox.client.startContainer(Id);
    const before = (await sandbox.client.inspectContainer(Id)).State;
    const [spawner] = readFileSync(`/proc/${sandbox.pid}/task/${sandbox.pid}/children`, "utf8")
      .trim()
      .split(" ");
    process.kill(Number(spawner), "SIGKILL");
    await until("the daemon has said so", () => sandbox.readLog().includes("the native program is gone"));
    await until("the daemon has ended", () => !existsSync(`/proc/${sandbox.pid}/exe`));
    await sandbox.start();
    const after = (await sandbox.client.inspectContainer(Id)).State;
    assert.equal([after.Pid, after.Running], [before.Pid, true]);
    await sandbox.client.removeContainer(Id, { force: true });
  },
);

start.run();
