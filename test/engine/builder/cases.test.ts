/** The shared whole builds: Dockerfile, context and arguments → the image that BuildKit makes of them. */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { busyboxTar } from "../../helpers/busybox.ts";
import { run } from "../../helpers/command.ts";
import { Sandbox } from "../../helpers/sandbox.ts";

const cases = suite("engine/builder/cases");

const shared = join(import.meta.dirname, "../../../../shared/cases/dockerfile/builds");

cases("every shared build gives BuildKit's image", async () => {
  if (!existsSync(shared)) {
    console.log("skipped: the shared builds, ../shared/cases is not here");
    return;
  }
  await using sandbox = await Sandbox.open({ busybox: false });
  const directory = mkdtempSync("/var/tmp/slw-cases-");
  try {
    // The recorded builds begin with an image that has no command, and one user.
    const root = busyboxTar("root:x:0:0:root:/root:/bin/sh\n", "root:x:0:\n");
    await sandbox.client.importImage(root, { reference: "busybox:latest" });
    const base = join(directory, "busybox.tar");
    assert.is((await sandbox.docker(["save", "-o", base, "busybox:latest"])).status, 0);
    const adapter = join(directory, "adapter");
    writeFileSync(
      adapter,
      `#!/bin/sh\nexec '${process.execPath}' '${join(import.meta.dirname, "adapter.ts")}' "$@"\n`,
    );
    chmodSync(adapter, 0o755);
    const words = [
      "--adapter",
      adapter,
      "--compare",
      "expected.json",
      "--level",
      "must",
      "--http",
      "--jobs",
      "2",
    ];
    const { stdout } = await run([process.execPath, join(shared, "run.mjs"), ...words], {
      limitMs: 280_000,
      env: {
        ...process.env,
        BASE_TAR: base,
        SLIPWAY_SOCKET: sandbox.socket,
        HTTP_NS: `nsenter --net=/run/netns/${sandbox.netns} --`,
      },
    });
    const failures = stdout.split("\n").filter((line) => line.startsWith("FAIL") || /^ {5}must/.test(line));
    assert.is(failures.join("\n"), "");
    assert.match(stdout, /^\d+ passed, 0 failed/m);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

cases.run();
