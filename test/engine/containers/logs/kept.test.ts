/** Logs of real containers: what the drivers keep, and what a client gets of it. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { until } from "../../../helpers/command.ts";
import { Sandbox } from "../../../helpers/sandbox.ts";

const kept = suite("engine/containers: logs that are kept");
let sandbox: Sandbox;
kept.before(async () => {
  sandbox = await Sandbox.open();
});
kept.after(() => sandbox?.close());

/** Starts a container, gives its id to the work, and removes it. */
async function running(
  options: readonly string[],
  script: string,
  work: (id: string) => Promise<void>,
): Promise<void> {
  const { stdout, stderr } = await sandbox.docker(["run", "-d", ...options, "busybox", "sh", "-c", script]);
  const id = stdout.trim();
  assert.match(id, /^[0-9a-f]{64}$/, stderr);
  try {
    await work(id);
  } finally {
    await sandbox.client.removeContainer(id, { force: true });
  }
}

const logs = async (...args: readonly string[]): Promise<string> =>
  (await sandbox.docker(["logs", ...args])).stdout;

/** Lines `line 1` to `line count`, with pauses in which files are compressed. */
const counting = (count: number): string =>
  `for i in $(seq ${count}); do echo line $i; [ $((i % 50)) = 0 ] && sleep 0.05; done; true`;

for (const [driver, options, directory] of [
  ["local", ["--log-driver=local"], "local-logs"],
  ["json-file with compress", ["--log-opt=compress=true"], ""],
] as const) {
  kept(`${driver}: who follows loses no line while files get full and are compressed`, () =>
    // As many files as it takes: what is removed before a slow reader comes to it is lost as with Docker.
    running(
      [...options, "--log-opt=max-size=3k", "--log-opt=max-file=40"],
      `sleep 0.3; ${counting(700)}`,
      async (id) => {
        const lines = (await logs("-f", id)).trimEnd().split("\n");
        assert.equal(
          lines,
          Array.from({ length: 700 }, (_, index) => `line ${index + 1}`),
        );
      },
    ),
  );

  kept(`${driver}: full files are compressed, and the oldest go`, () =>
    running([...options, "--log-opt=max-size=3k", "--log-opt=max-file=4"], counting(700), async (id) => {
      await sandbox.client.waitContainer(id);
      const path = join(sandbox.dataRoot, "containers", id, directory);
      const full = (): readonly string[] => readdirSync(path).filter((name) => /\.log\.\d+/.test(name));
      await until("the full files are compressed", () => full().every((name) => name.endsWith(".gz")), 3000);
      assert.is(full().length, 3);
      const size = full().reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
      assert.ok(size < 3 * 1500, `${size} bytes`);
      const lines = (await logs(id)).trimEnd().split("\n");
      assert.ok(lines.length > 80 && lines.length < 700);
      const numbers = lines.map((line) => Number(line.slice("line ".length)));
      assert.equal(
        numbers,
        numbers.map((_, index) => 701 - numbers.length + index),
      );
      assert.is(await logs("-n", "2", id), "line 699\nline 700\n");
      const [old = ""] = (await logs("-n", String(lines.length - 3), id)).split("\n");
      assert.is(old, lines[3]);
    }),
  );
}

kept("local: bytes, streams and long lines come back as they were", () =>
  running(
    ["--log-driver=local"],
    "printf 'a\\377b\\n'; echo err >&2; head -c 40000 /dev/zero | tr '\\0' x; printf '\\nend'",
    async (id) => {
      await sandbox.client.waitContainer(id);
      const text: Buffer[] = [];
      for await (const { stream, data } of sandbox.client.logs(id, { stdout: true, stderr: true })) {
        if (stream === "stdout") text.push(data);
        else assert.is(data.toString(), "err\n");
      }
      const all = Buffer.concat(text);
      assert.equal(all.subarray(0, 4), Buffer.from("a\xffb\n", "latin1"));
      assert.is(all.length, 4 + 40_000 + 4);
      assert.is((await sandbox.client.inspectContainer(id)).LogPath, "");
    },
  ),
);

kept("local: a daemon that was away compresses what got full meanwhile", () =>
  running(
    ["--log-driver=local", "--log-opt=max-size=1k"],
    `sleep 0.7; ${counting(200)}; sleep 50`,
    async (id) => {
      await sandbox.kill9();
      const path = join(sandbox.dataRoot, "containers", id, "local-logs");
      await until("files are full", () => readdirSync(path).length === 5, 5000);
      await sandbox.start();
      await until(
        "they are compressed",
        () => readdirSync(path).filter((name) => name.endsWith(".gz")).length === 4,
        3000,
      );
      await until("all is there", async () => (await logs("-n", "1", id)) === "line 200\n", 3000);
    },
  ),
);

kept("--details shows chosen labels, variables and the tag", () =>
  running(
    [
      ...["--label=a=1", "--label=b=2", "--env=E=x", "--env=FOO=y z"],
      ...["--log-opt=labels=a", "--log-opt=env-regex=^FO", "--log-opt=tag={{.ImageName}}"],
    ],
    "echo hi",
    async (id) => {
      await sandbox.client.waitContainer(id);
      assert.is(await logs("--details", id), "FOO=y+z,a=1,tag=busybox hi\n");
    },
  ),
);

kept("--until ends who follows, also when nothing comes", () =>
  running([], "echo early; sleep 50", async (id) => {
    const begun = performance.now();
    assert.is(await logs("-f", "--until", `${(Date.now() / 1000 + 1).toFixed(3)}`, id), "early\n");
    assert.ok(performance.now() - begun < 10_000);
  }),
);

for (const [options, message] of [
  [["--log-opt=bogus=1"], "unknown log opt 'bogus' for json-file log driver"],
  [["--log-driver=local", "--log-opt=labels=a"], "unknown log opt 'labels' for log driver local"],
  [["--log-opt=max-size=0"], "max-size must be a positive number"],
  [["--log-opt=compress=true"], "compress cannot be true when max-file is less than 2"],
  [["--log-opt=mode=odd"], "logging mode not supported: odd"],
  [["--log-driver=syslog"], 'plugin "syslog" not found'],
] as const) {
  kept(`${options.join(" ")} is refused`, async () => {
    const { stderr } = await sandbox.docker(["create", ...options, "busybox", "true"]);
    assert.match(stderr, message);
  });
}

kept.run();
