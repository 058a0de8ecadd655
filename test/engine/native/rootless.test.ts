/** An engine of an ordinary user, with each program that can carry its packets, and without what it needs. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { busyboxTar } from "../../helpers/busybox.ts";
import { until } from "../../helpers/command.ts";
import { OUTSIDE, UID, User } from "./user.ts";

const IDS = ["newuidmap", "newgidmap"];
const rootless = suite("native/rootless");

rootless("the machine has what this tests", () => {
  const missing = [...IDS, "slirp4netns", "pasta"].filter((name) => !existsSync(`/usr/bin/${name}`));
  assert.equal(missing, [], "see test/packages.txt");
});

for (const carrier of ["pasta", "slirp4netns"]) {
  rootless(`${carrier}: names, the network and published ports; all outlives the daemon`, async () => {
    await using user = await User.open({ programs: [...IDS, carrier] });
    await user.start();
    assert.match(user.readLog(), `${carrier} connects containers`);
    await user.client.importImage(busyboxTar(), { reference: "busybox:latest", changes: ['CMD ["sh"]'] });
    const out = async (...args: readonly string[]): Promise<string> => {
      const { stdout, stderr } = await user.docker(...args);
      return stdout + stderr;
    };
    // The outside answers with who asked: the user's machine, not one of the engine's own addresses.
    const ask = `nslookup x.test | grep -c 'Address: 10.213.77.1'; wget -qO- http://${OUTSIDE}/`;
    assert.is(await out("run", "--rm", "busybox", "sh", "-c", ask), "1\n10.213.77.1");

    await out("network", "create", "back");
    const page =
      "(id -u; cat /proc/self/uid_map; chown 1000:1000 /www && stat -c %u /www) | tr -s ' \\n' ' '";
    const serve = `mkdir /www; ${page} > /www/index.html; exec httpd -f -p 80 -h /www`;
    await out(
      "run",
      "-d",
      "--name",
      "web",
      "--network",
      "back",
      "-p",
      "8080:80",
      "busybox",
      "sh",
      "-c",
      serve,
    );
    const expected = `0 0 ${UID} 1 1 200000 65536 1000 `;
    await until("the page is served", async () => (await user.page(8080)) === expected);
    assert.is(await user.pageFromOutside(8080), expected);
    assert.is(
      await out("run", "--rm", "--network", "back", "busybox", "wget", "-qO-", "http://web"),
      expected,
    );
    assert.match(await out("run", "--rm", "-p", "8080:80", "busybox", "true"), "port is already allocated");

    await user.end("SIGKILL");
    assert.is(await user.page(8080), expected, "without a daemon");
    await user.start();
    assert.is(await out("inspect", "-f", "{{.State.Running}}", "web"), "true\n");
    await out("rm", "-f", "web");
  });
}

rootless("what needs no root works; what does is said", async () => {
  await using user = await User.open({ programs: IDS });
  await user.start();
  assert.match(user.readLog(), "install passt or slirp4netns");
  assert.match(user.readLog(), "pasta: not installed; slirp4netns: not installed");
  await user.client.importImage(busyboxTar(), { reference: "busybox:latest", changes: ['CMD ["sh"]'] });
  const out = async (...args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await user.docker(...args);
    return stdout + stderr;
  };
  const limited = await out("run", "--rm", "-m", "64m", "busybox", "echo", "runs");
  assert.match(limited, /^runs\nWARNING: .*does not support memory limit.*Limitation discarded\.\n$/);
  assert.match(await out("info"), /Cgroup Driver: none[\s\S]*rootless-mode without cgroups/);

  const touch = "touch /v/a; chown 33:33 /v/a; ls -ln /v | grep -c '33 *33'";
  assert.is(await out("run", "--rm", "-v", "data:/v", "busybox", "sh", "-c", touch), "1\n");
  await out("run", "-d", "--name", "one", "busybox", "sleep", "1000");
  assert.match(await out("top", "one"), "sleep 1000");
  assert.is(await out("exec", "one", "sh", "-c", "echo in > /file; id -u"), "0\n");
  assert.match(await out("pause", "one"), "no cgroup freezer");
  assert.match(await out("commit", "one", "made"), "sha256:");
  assert.is(await out("run", "--rm", "made", "cat", "/file"), "in\n");
  assert.match(await out("run", "--rm", "--pid", "host", "busybox", "ps"), "sleep 1000");

  const context = join(user.directory, "context");
  mkdirSync(context);
  writeFileSync(
    join(context, "Dockerfile"),
    'FROM busybox\nRUN id -u > /who && chown 7:8 /who\nCMD ["stat", "-c", "%u:%g", "/who"]\n',
  );
  await out("build", "-q", "-t", "built", context);
  assert.is(await out("run", "--rm", "built"), "7:8\n");
});

rootless("without ids, or the programs that map them, the daemon says what to do", async () => {
  for (const [options, reason] of [
    [{ programs: IDS, ids: false }, "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 rl"],
    [{ programs: [] }, "needs newuidmap: as root: apt-get install uidmap"],
  ] as const) {
    await using user = await User.open(options);
    await user.start().then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, reason),
    );
  }
});

rootless.run();
