/** Many at once, many one after the other, and much at a time. */
import { readdirSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeRaw } from "../../../engine/native/wire.ts";
import { until } from "../../helpers/command.ts";
import { Bench, collect, shell } from "./cell.ts";

interface Context {
  bench: Bench;
}

const load = suite<Context>("native/load");
load.before(async (context) => {
  context.bench = await Bench.open();
});
load.after(async ({ bench }) => bench[Symbol.asyncDispose]());

const resident = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

load("twenty containers at once", async ({ bench }) => {
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => bench.run(`echo ${i}; exit ${i}`)));
  assert.equal(
    results.map(({ code, stdout }) => `${code} ${stdout}`),
    Array.from({ length: 20 }, (_, i) => `${i} ${i}\n`),
  );
});

load(
  "two hundred execs leave no descriptor and no memory with the monitor (CVE-2022-23471)",
  async ({ bench }) => {
    const cell = await bench.launch();
    await cell.monitor.go(shell("exec sleep 1000"));
    const { monitorPid } = cell.launched;
    for (let i = 0; i < 20; i++) await cell.exec(":");
    const before = { fds: descriptors(monitorPid), resident: resident(monitorPid) };
    for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 10 }, () => cell.exec("echo x")));
    // The last connections are closed by the time that one more has been answered.
    await cell.exec(":");
    assert.ok(
      descriptors(monitorPid) <= before.fds + 2,
      `${before.fds} → ${descriptors(monitorPid)} descriptors`,
    );
    assert.ok(
      resident(monitorPid) < before.resident + 256,
      `${before.resident} → ${resident(monitorPid)} kB`,
    );
    await cell.kill();
  },
);

load("an idle monitor keeps less than a megabyte", async ({ bench }) => {
  const cell = await bench.launch();
  await cell.monitor.go(shell("head -c 300000 /dev/zero | tr '\\0' '\\n'; echo done; exec sleep 1000"));
  await until("it is idle and small", async () => resident(cell.launched.monitorPid) < 1024, 10_000);
  await cell.kill();
});

load("a long argument list arrives whole; one that the kernel refuses is E2BIG", async ({ bench }) => {
  const cell = await bench.launch();
  await cell.monitor.go(shell("exec sleep 1000"));
  const run = (list: readonly string[]) =>
    collect((output) =>
      cell.monitor.exec(
        [
          { op: "argv", list },
          { op: "streams", stdin: false, stdout: true, stderr: false },
        ],
        output,
      ),
    );
  const long = await run([
    "/bin/sh",
    "-c",
    "echo $# ${#1} ${#500}",
    ...Array.from({ length: 600 }, () => "x".repeat(2000)),
  ]);
  await long.session.exited;
  assert.is(long.text().stdout, "599 2000 2000\n");
  const error = await run(["/bin/true", "x".repeat(200_000)]).catch((reason) => reason);
  assert.is(error.code, "E2BIG");
  await cell.kill();
});

load("no length in a request overruns anything (CVE-2021-43784)", async ({ bench }) => {
  const huge = encodeRaw(1, [{ code: 1, fields: ["x".repeat(70_000), "y".repeat(70_000), 1, 1, 1] }]);
  for (const at of [4, 8, 10, 12, 12 + 4 + 70_000]) {
    for (const value of [0xffffffff, 0x10000, 0x7fffffff]) {
      const request = Buffer.from(huge);
      request.writeUInt32LE(value, at);
      const socket = await bench.spawner.connect(request);
      socket.on("error", () => undefined);
      const chunks: Buffer[] = [];
      socket.on("data", (chunk) => chunks.push(chunk));
      await new Promise((resolve) => socket.once("close", resolve));
      assert.is(Buffer.concat(chunks)[0], 2, `an error for ${value} at ${at}`);
    }
  }
  assert.is((await bench.run("echo fine")).stdout, "fine\n");
});

load.run();
