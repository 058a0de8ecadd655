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

registry.run();
