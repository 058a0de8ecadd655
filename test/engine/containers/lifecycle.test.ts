/** What a container goes through, as the API tells it. Stock clients are in test/contract. */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { EngineClient } from "../../../src/client/client.ts";
import type { Attachment } from "../../../src/client/types/streams.ts";
import { until } from "../../helpers/command.ts";
import { Sandbox } from "../../helpers/sandbox.ts";
import { type Options, probe, runToEnd } from "./probe.ts";

const life = suite("engine/containers: life");
let sandbox: Sandbox;
let client: EngineClient;
life.before(async () => {
  sandbox = await Sandbox.open();
  client = sandbox.client;
});
life.after(() => sandbox?.close());

/** Makes a container that is removed after the work. */
async function having(options: Options, work: (id: string) => Promise<void>): Promise<void> {
  const { Id } = await client.createContainer({ Image: "busybox", ...options });
  try {
    await work(Id);
  } finally {
    await client.removeContainer(Id, { force: true, volumes: true }).catch(() => {});
  }
}

const sh = (line: string): Options => ({ Cmd: ["sh", "-c", line] });
const stateOf = async (id: string) => (await client.inspectContainer(id)).State;

async function logsOf(id: string): Promise<string> {
  let text = "";
  for await (const { data } of client.logs(id, { stdout: true, stderr: true })) text += data.toString();
  return text;
}

async function readAll({ output }: Attachment): Promise<string> {
  let text = "";
  for await (const { data } of output) text += data.toString();
  return text;
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "accepted",
    (error: Error & { status?: number }) => `${error.status} ${error.message}`,
  );
}

for (const [what, Cmd, status, message] of [
  ["a program that is nowhere", ["/nosuch"], 127, 'exec: "/nosuch": stat /nosuch: no such file or directory'],
  ["a program that is not in PATH", ["nosuch"], 127, 'exec: "nosuch": executable file not found in $PATH'],
  ["a file that is no program", ["/etc/passwd"], 126, 'exec: "/etc/passwd": permission denied'],
] as const) {
  life(`${what} leaves the container created, with the reason`, () =>
    having({ Cmd: [...Cmd] }, async (id) => {
      assert.match(await refusal(client.startContainer(id)), message);
      const state = await stateOf(id);
      assert.equal([state.Status, state.ExitCode, state.Pid], ["created", status, 0]);
      assert.match(state.Error, message);
    }),
  );
}

for (const [line, code] of [
  ["exit 0", 0],
  ["exit 42", 42],
  ["kill -9 $$", 137],
  ["kill -TERM $$ & wait", 0],
] as const) {
  life(`\`${line}\` ends with ${code === 0 ? "0 or by its signal" : code}`, async () => {
    const { code: seen } = await runToEnd(client, { ...sh(line), HostConfig: { Init: true } });
    if (code !== 0) assert.is(seen, code);
    else assert.ok([0, 143].includes(seen), String(seen));
  });
}

life("times and states are as Docker reports them", () =>
  having(sh("sleep 0.2; exit 3"), async (id) => {
    const never = "0001-01-01T00:00:00Z";
    const created = await stateOf(id);
    assert.equal(
      [created.Status, created.Running, created.StartedAt, created.FinishedAt],
      ["created", false, never, never],
    );
    await client.startContainer(id);
    const running = await stateOf(id);
    assert.equal([running.Status, running.Running, running.FinishedAt], ["running", true, never]);
    assert.ok(running.Pid > 0);
    await client.waitContainer(id);
    const exited = await stateOf(id);
    assert.equal([exited.Status, exited.Running, exited.ExitCode, exited.Pid], ["exited", false, 3, 0]);
    const ran = Date.parse(exited.FinishedAt) - Date.parse(exited.StartedAt);
    assert.ok(ran >= 200 && ran < 5000, `${ran} ms`);
  }),
);

life("wait: not-running answers at once, next-exit waits for the next, removed for the removal", () =>
  having(sh("exit 5"), async (id) => {
    assert.is((await client.waitContainer(id)).StatusCode, 0);
    const { result: next } = await client.beginWait(id, { condition: "next-exit" });
    const { result: removed } = await client.beginWait(id, { condition: "removed" });
    await client.startContainer(id);
    assert.is((await next).StatusCode, 5);
    assert.is((await client.waitContainer(id)).StatusCode, 5);
    await client.removeContainer(id);
    assert.is((await removed).StatusCode, 5);
  }),
);

life("the detach keys let go of a terminal, and its program goes on", () =>
  having({ Cmd: ["cat"], Tty: true, OpenStdin: true, AttachStdin: true }, async (id) => {
    const attachment = await client.attach(id, { stdin: true, stdout: true, stderr: true, tty: true });
    await client.startContainer(id);
    attachment.connection.write("hello\r");
    await until("it answers", async () => (await logsOf(id)).includes("hello"));
    attachment.connection.write(Buffer.from([0x10, 0x11]));
    assert.match(await readAll(attachment), "hello");
    assert.is((await stateOf(id)).Status, "running");
  }),
);

life("stdin stays open for the next client unless it is for one alone", () =>
  having({ Cmd: ["cat"], OpenStdin: true, StdinOnce: false }, async (id) => {
    await client.startContainer(id);
    for (const text of ["one\n", "two\n"]) {
      const { connection } = await client.attach(id, { stdin: true, stdout: false, tty: false });
      connection.end(text);
      await until(`${text.trim()} is written`, async () => (await logsOf(id)).includes(text));
    }
    assert.is((await stateOf(id)).Status, "running");
  }),
);

life("two clients see the same output, and one that is slow or gone holds nobody up", () =>
  having(sh("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done"), async (id) => {
    const all = await client.attach(id, { stdout: true, stderr: true, tty: false });
    const gone = await client.attach(id, { stdout: true, stderr: true, tty: false });
    await client.startContainer(id);
    gone.connection.destroy();
    const lines = (await readAll(all)).trim().split("\n");
    assert.equal([lines.length, lines.at(-1)], [3000, "line 2999"]);
  }),
);

life("following a log loses no line between what was and what comes, over rotations too", () =>
  having(
    {
      ...sh("i=0; while [ $i -lt 4000 ]; do echo line $i; i=$((i+1)); done"),
      HostConfig: { LogConfig: { Type: "json-file", Config: { "max-size": "100k", "max-file": "20" } } },
    },
    async (id) => {
      await client.startContainer(id);
      let text = "";
      for await (const { data } of client.logs(id, { follow: true, stdout: true })) text += data.toString();
      const lines = text.trim().split("\n");
      assert.equal(
        lines,
        lines.map((_, index) => `line ${index}`),
      );
      assert.is(lines.length, 4000);
    },
  ),
);

life("a log is cut by tail, since and until, and marked with times", () =>
  having(sh("echo a; sleep 0.1; echo b >&2; sleep 0.1; echo c"), async (id) => {
    await client.startContainer(id);
    await client.waitContainer(id);
    const read = async (options: object): Promise<string> => {
      let text = "";
      for await (const { data } of client.logs(id, { stdout: true, stderr: true, ...options }))
        text += data.toString();
      return text;
    };
    assert.is(await read({ tail: 1 }), "c\n");
    assert.is(await read({ tail: 0 }), "");
    assert.is(await read({ stderr: false }), "a\nc\n");
    assert.is(await read({ since: Date.now() / 1000 + 60 }), "");
    assert.is(await read({ until: 1 }), "");
    assert.match(await read({ timestamps: true, tail: 1 }), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z c\n$/);
  }),
);

life("on-failure restarts as often as it says, with growing pauses", () =>
  having(
    { ...sh("exit 2"), HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } } },
    async (id) => {
      await client.startContainer(id);
      await until("it gave up", async () => (await stateOf(id)).Status === "exited");
      const { RestartCount, State } = await client.inspectContainer(id);
      assert.equal([RestartCount, State.ExitCode], [2, 2]);
    },
  ),
);

life("always restarts until a person stops it, also while it waits", () =>
  having({ ...sh("exit 0"), HostConfig: { RestartPolicy: { Name: "always" } } }, async (id) => {
    await client.startContainer(id);
    await until("it restarted", async () => (await client.inspectContainer(id)).RestartCount >= 2);
    await client.stopContainer(id, { timeout: 0 });
    const { RestartCount } = await client.inspectContainer(id);
    await new Promise((resolve) => setTimeout(resolve, 600));
    const after = await client.inspectContainer(id);
    assert.equal([after.State.Status, after.RestartCount], ["exited", RestartCount]);
  }),
);

life("a restart keeps a container that removes itself, an end does not", async () => {
  const { Id } = await client.createContainer({
    Image: "busybox",
    Cmd: ["sleep", "100"],
    HostConfig: { AutoRemove: true },
  });
  await client.startContainer(Id);
  await client.restartContainer(Id, { timeout: 0 });
  assert.is((await stateOf(Id)).Status, "running");
  const { result } = await client.beginWait(Id, { condition: "removed" });
  await client.killContainer(Id);
  assert.is((await result).StatusCode, 137);
  assert.match(await refusal(client.inspectContainer(Id)), "404");
});

life("a paused container stands still and takes no exec", () =>
  having(sh("i=0; while true; do echo $i; i=$((i+1)); sleep 0.01; done"), async (id) => {
    await client.startContainer(id);
    await client.pauseContainer(id);
    const before = await logsOf(id);
    assert.match(await refusal(client.createExec(id, { Cmd: ["true"] })), "is paused");
    assert.match(await refusal(client.pauseContainer(id)), "already paused");
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.is(await logsOf(id), before);
    await client.unpauseContainer(id);
    await until("it goes on", async () => (await logsOf(id)).length > before.length);
    await client.pauseContainer(id);
    await client.stopContainer(id, { timeout: 0 });
    assert.is((await stateOf(id)).Status, "exited");
  }),
);

life("limits change while it runs", () =>
  having({ Cmd: ["sleep", "100"], HostConfig: { Memory: 32 << 20 } }, async (id) => {
    await client.startContainer(id);
    await client.updateContainer(id, { Memory: 64 << 20, MemorySwap: 128 << 20, PidsLimit: 77 });
    const exec = await client.createExec(id, {
      Cmd: [
        "sh",
        "-c",
        "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes pids/pids.max memory.max pids.max 2>/dev/null",
      ],
      AttachStdout: true,
    });
    assert.is(await readAll(await client.startExec(exec, { tty: false })), `${64 << 20}\n77\n`);
  }),
);

life("what the kernel kills for want of memory is told", () =>
  having({ ...sh("tail /dev/zero"), HostConfig: { Memory: 8 << 20, MemorySwap: 8 << 20 } }, async (id) => {
    await client.startContainer(id);
    assert.is((await client.waitContainer(id)).StatusCode, 137);
    assert.is((await stateOf(id)).OOMKilled, true);
  }),
);

life("an exec has its own user, directory, environment, terminal and exit code", () =>
  having({ Cmd: ["sleep", "100"], Env: ["A=image"] }, async (id) => {
    await client.startContainer(id);
    const options = {
      Cmd: ["sh", "-c", "id -u; pwd; echo $A $B; stty size; exit 9"],
      User: "nobody",
      WorkingDir: "/tmp",
      Env: ["B=exec"],
      Tty: true,
      AttachStdout: true,
      AttachStderr: true,
    };
    const exec = await client.createExec(id, options);
    const output = await readAll(
      await client.startExec(exec, { tty: true, size: { rows: 33, columns: 99 } }),
    );
    assert.is(output, "65534\r\n/tmp\r\nimage exec\r\n33 99\r\n");
    const { ExitCode, Running } = await client.inspectExec(exec);
    assert.equal([ExitCode, Running], [9, false]);
  }),
);

life("an exec takes input to its end, and one that is detached runs by itself", () =>
  having({ Cmd: ["sleep", "100"] }, async (id) => {
    await client.startContainer(id);
    const counting = await client.createExec(id, {
      Cmd: ["wc", "-c"],
      AttachStdin: true,
      AttachStdout: true,
    });
    const attachment = await client.startExec(counting, { tty: false });
    attachment.connection.end(Buffer.alloc(3_000_000));
    assert.is((await readAll(attachment)).trim(), "3000000");
    const alone = await client.createExec(id, { Cmd: ["sh", "-c", "exit 6"] });
    await client.startExecDetached(alone);
    await until("it ended", async () => (await client.inspectExec(alone)).ExitCode === 6);
    assert.match(await refusal(client.startExecDetached(alone)), "already running");
  }),
);

life("an exec ends with its container", () =>
  having({ Cmd: ["sleep", "100"] }, async (id) => {
    await client.startContainer(id);
    const exec = await client.createExec(id, { Cmd: ["sleep", "100"], AttachStdout: true });
    const attachment = await client.startExec(exec, { tty: false });
    await client.killContainer(id);
    await readAll(attachment);
    assert.match(await refusal(client.createExec(id, { Cmd: ["true"] })), "is not running");
  }),
);

life("health begins at once, is told by its changes alone, and keeps its results", () =>
  having(
    {
      ...sh("sleep 0.5; touch /ok; sleep 100"),
      Healthcheck: { Test: ["CMD-SHELL", "test -f /ok && echo fine"], Interval: 30e9 },
    },
    async (id) => {
      const heard: string[] = [];
      const stop = new AbortController();
      const events = await client.events({ filters: { container: [id] }, signal: stop.signal });
      const listening = (async () => {
        for await (const { Action } of events) heard.push(Action);
      })();
      await client.startContainer(id);
      await until(
        "it is healthy, long before the interval is over",
        async () => (await stateOf(id)).Health?.Status === "healthy",
      );
      const health = (await stateOf(id)).Health;
      assert.is(health?.Log?.at(-1)?.Output, "fine\n");
      await until("its change is told", () => heard.length > 1);
      stop.abort();
      await listening;
      assert.equal(heard, ["start", "health_status: healthy"]);
    },
  ),
);

life("a container shares another's network, processes and memory", () =>
  having(
    {
      Cmd: ["sh", "-c", "echo shared >/dev/shm/note; sleep 100"],
      Hostname: "owner",
      HostConfig: { IpcMode: "shareable" },
    },
    async (id) => {
      await client.startContainer(id);
      const modes = {
        NetworkMode: `container:${id}`,
        PidMode: `container:${id}`,
        IpcMode: `container:${id}`,
      };
      const seen = await probe(
        client,
        { name: "hostname", note: "cat /dev/shm/note", one: "tr '\\0' ' ' </proc/1/cmdline | cut -c1-5" },
        { HostConfig: modes },
      );
      assert.equal(seen, { name: "owner", note: "shared", one: "sleep" });
      await client.killContainer(id);
      assert.match(
        await refusal(runToEnd(client, { Cmd: ["true"], HostConfig: modes })),
        "non running container",
      );
    },
  ),
);

life("volumes of another container are its own, and stay when one of the two goes", async () => {
  const first = await client.createContainer({
    Image: "busybox",
    ...sh("echo kept >/data/f"),
    Volumes: { "/data": {} },
  });
  await client.startContainer(first.Id);
  await client.waitContainer(first.Id);
  const from = { VolumesFrom: [`${first.Id}:ro`] };
  const { seen } = await probe(client, { seen: "cat /data/f; touch /data/g" }, { HostConfig: from });
  assert.match(seen, /^kept\n.*Read-only file system/);
  assert.is((await client.listVolumes()).length, 1);
  await client.removeContainer(first.Id, { volumes: true });
  assert.is((await client.listVolumes()).length, 0);
});

life("a container whose monitor is killed ends with it, says so, and can be started again", () =>
  having({ Cmd: ["sleep", "100"] }, async (id) => {
    await client.startContainer(id);
    const { Pid } = await stateOf(id);
    const parent = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${Pid}/status`, "utf8"))?.[1];
    process.kill(Number(parent), "SIGKILL");
    assert.is((await client.waitContainer(id)).StatusCode, 255);
    const state = await stateOf(id);
    assert.equal([state.Status, state.Error], ["exited", "the container's monitor was lost"]);
    await client.startContainer(id);
    assert.is((await stateOf(id)).Status, "running");
  }),
);

life("a name is one container's; a prefix of an id is enough", () =>
  having({ Cmd: ["true"] }, async (id) => {
    await client.renameContainer(id, "fine-name");
    assert.is((await client.inspectContainer("fine-name")).Id, id);
    assert.is((await client.inspectContainer("/fine-name")).Id, id);
    assert.is((await client.inspectContainer(id.slice(0, 8))).Id, id);
    assert.match(
      await refusal(client.createContainer({ Image: "busybox", name: "fine-name" })),
      "409 Conflict",
    );
    assert.match(await refusal(client.renameContainer(id, "fine-name")), "same name as its current name");
    assert.match(
      await refusal(client.createContainer({ Image: "busybox", name: "-bad" })),
      "400 Invalid container name",
    );
  }),
);

life("list filters by state, label, name, ancestor, volume and network", () =>
  having(
    { Cmd: ["sleep", "100"], Labels: { role: "db" }, HostConfig: { Binds: ["listed:/v"] } },
    async (id) => {
      const names = async (filters: object): Promise<number> =>
        (await client.listContainers({ all: true, filters: filters as Readonly<Record<string, string[]>> }))
          .length;
      await client.startContainer(id);
      for (const [filters, count] of [
        [{ status: ["running"] }, 1],
        [{ status: ["exited"] }, 0],
        [{ label: ["role=db"] }, 1],
        [{ label: ["role=web"] }, 0],
        [{ label: ["role"], id: [id.slice(0, 10)] }, 1],
        [{ ancestor: ["busybox"] }, 1],
        [{ volume: ["listed"] }, 1],
        [{ volume: ["/v"] }, 1],
        [{ network: ["bridge"] }, 1],
        [{ network: ["none"] }, 0],
      ] as const) {
        assert.is(await names(filters), count, JSON.stringify(filters));
      }
      assert.match(
        await refusal(client.listContainers({ filters: { nonsense: ["x"] } })),
        "400 invalid filter 'nonsense'",
      );
      await client.removeContainer(id, { force: true });
      await client.removeVolume("listed");
    },
  ),
);

life.run();
