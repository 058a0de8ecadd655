/** The engine's store as a registry: the stock client pushes to it and pulls from it, until Ctrl-C. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { until } from "../helpers/command.ts";
import { Sandbox } from "../helpers/sandbox.ts";

const registry = suite("scenario: a registry of one's own");

registry("an image goes to the registry and comes back", async () => {
  await using sandbox = await Sandbox.open();
  const address = "127.0.0.1:5000";
  const serve = sandbox.startSlipway(["registry", "serve", "--listen", address]);
  await until("it listens", async () => serve.output().includes(`Listening on ${address}`));

  const busy = await sandbox.slipway(["registry", "serve", "--listen", address]);
  assert.is(busy.status, 1, busy.stderr);
  assert.match(busy.stderr, /EADDRINUSE|in use/);

  await sandbox.docker(["tag", "busybox", `${address}/team/box:1`]);
  const pushed = await sandbox.docker(["push", `${address}/team/box:1`]);
  assert.match(pushed.stdout, /1: digest: sha256:[0-9a-f]{64} size: \d+/, pushed.stderr);

  const found = await sandbox.slipway(["search", `${address}/box`]);
  assert.match(found.stdout, /^127\.0\.0\.1:5000\/team\/box\b/m, found.stderr);

  await sandbox.docker(["rmi", `${address}/team/box:1`]);
  const run = await sandbox.docker(["run", "--rm", `${address}/team/box:1`, "echo", "pulled"]);
  assert.is(run.stdout, "pulled\n", run.stderr);

  assert.is(await serve.stop(), 0);
  assert.match(serve.output(), /PUT \/v2\/team\/box\/manifests\/1 201/);
  await until(
    "it is gone",
    async () => (await sandbox.docker(["push", `${address}/team/box:1`])).status !== 0,
  );
});

registry("images for several platforms become one name", async () => {
  await using sandbox = await Sandbox.open();
  const address = "127.0.0.1:5000";
  const serve = sandbox.startSlipway(["registry", "serve", "--listen", address]);
  await until("it listens", async () => serve.output().includes(`Listening on ${address}`));
  const [plain, arm, list] = ["box:amd64", "box:arm64", "team/box:1"].map((name) => `${address}/${name}`);
  if (!plain || !arm || !list) throw new Error("names");
  for (const name of [plain, arm]) {
    await sandbox.docker(["tag", "busybox", name]);
    await sandbox.docker(["push", "-q", name]);
  }
  const created = await sandbox.slipway(["manifest", "create", list, plain, arm]);
  assert.is(created.stdout, `Created manifest list ${list}\n`, created.stderr);
  const annotated = await sandbox.slipway([
    "manifest",
    "annotate",
    "--arch",
    "arm64",
    "--variant",
    "v8",
    list,
    arm,
  ]);
  assert.is(annotated.status, 0, annotated.stderr);
  const pushed = await sandbox.slipway(["manifest", "push", "--purge", list]);
  assert.match(pushed.stdout, /^sha256:[0-9a-f]{64}\n$/, pushed.stderr);
  const shown = await sandbox.slipway(["manifest", "inspect", list]);
  assert.match(shown.stdout, /"architecture": "arm64"[^}]*"variant": "v8"/, shown.stderr);
  assert.is((await sandbox.docker(["pull", "-q", "--platform", "linux/arm64", list])).stdout, `${list}\n`);
  const missing = await sandbox.slipway(["manifest", "rm", list]);
  assert.is(missing.status, 1);
  assert.match(missing.stderr, /No such manifest/);
  await serve.stop();
});

registry.run();
