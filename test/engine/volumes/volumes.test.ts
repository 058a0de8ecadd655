import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EngineError } from "../../../engine/errors.ts";
import { Events } from "../../../engine/events.ts";
import { Filters } from "../../../engine/filters.ts";
import { Paths } from "../../../engine/store/paths.ts";
import { createDirectories } from "../../../engine/store/records.ts";
import { volumeMount } from "../../../engine/volumes/options.ts";
import { Volumes } from "../../../engine/volumes/volumes.ts";

interface Context {
  root: string;
  paths: Paths;
  volumes: Volumes;
}

/** Nothing here is mounted. */
const noSpawner = { request: () => Promise.reject(new Error("there is no spawner")) };

const test = suite<Context>("volumes");

test.before.each(async (context) => {
  context.root = mkdtempSync(join(tmpdir(), "slw-volumes-"));
  context.paths = new Paths(join(context.root, "data"), join(context.root, "run"));
  await createDirectories(context.paths);
  context.volumes = await Volumes.open({ paths: context.paths, events: new Events(), spawner: noSpawner });
});

test.after.each(({ root }) => {
  rmSync(root, { recursive: true, force: true });
});

test("create makes an empty directory, and gives the same volume the second time", async ({ volumes }) => {
  const first = await volumes.create({ Name: "data", Labels: { a: "b" } });
  assert.ok(existsSync(first.Mountpoint));
  assert.equal(await volumes.create({ Name: "data" }), first);
});

test("a volume without a name is anonymous", async ({ volumes }) => {
  const { Name, Labels } = await volumes.create({});
  assert.match(Name, /^[0-9a-f]{64}$/);
  assert.equal(Labels, { "com.docker.volume.anonymous": "" });
});

for (const name of ["..", "a/b", "../x", ".hidden", "a b", "x", "-v", `a${"b".repeat(255)}`]) {
  test(`the name ${JSON.stringify(name.slice(0, 12))} is refused`, async ({ volumes }) => {
    await refused(volumes.create({ Name: name }), "invalid");
  });
}

test("a volume that a container names is not removed", async ({ volumes }) => {
  await volumes.create({ Name: "data" });
  volumes.setUsers(() => [{ containerId: "c1", volumes: ["data"] }]);
  const error = await refused(volumes.remove("data"), "conflict");
  assert.is(error.message, "remove data: volume is in use - [c1]");
  volumes.setUsers(() => []);
  await volumes.remove("data");
  await refused(volumes.remove("data"), "notFound");
  await volumes.remove("data", { force: true });
});

test("prune takes anonymous volumes, and named ones when asked for all", async ({ volumes }) => {
  const { Name, Mountpoint } = await volumes.create({});
  writeFileSync(join(Mountpoint, "file"), "12345");
  await volumes.create({ Name: "kept" });
  const disk = Number.parseInt(execFileSync("du", ["-s", "--block-size=1", Mountpoint]).toString(), 10);
  assert.equal(await volumes.prune(new Filters()), { names: [Name], reclaimed: disk });
  assert.equal((await volumes.prune(new Filters({ all: ["1"] }))).names, ["kept"]);
  assert.equal(volumes.list(), []);
});

test("records outlive the daemon", async ({ volumes, paths }) => {
  const made = await volumes.create({ Name: "data", Labels: { a: "b" } });
  assert.equal((await Volumes.open({ paths, events: new Events(), spawner: noSpawner })).get("data"), made);
});

test("a volume may stand for a directory", async ({ volumes, root }) => {
  await volumes.create({ Name: "bound", DriverOpts: { type: "none", o: "bind", device: root } });
  assert.is(await volumes.acquire("bound", "c1"), root);
});

for (const [DriverOpts, why] of [
  [{ bogus: "1" }, /create data: invalid option: "bogus"/],
  [{ type: "nfs", o: "addr=10.0.0.1" }, /missing required option: "device"/],
  [{ device: "/srv", o: "ro" }, /missing type/],
  [{ type: "none", o: "bind", device: "srv" }, /not an absolute path/],
  [{ size: "1g" }, /no quota support/],
] as const) {
  test(`the options ${JSON.stringify(DriverOpts)} are refused`, async ({ volumes }) => {
    assert.match((await refused(volumes.create({ Name: "data", DriverOpts }), "invalid")).message, why);
  });
}

test("options are split into what mount(2) takes as flags and as data", async () => {
  const options = { type: "tmpfs", device: "tmpfs", o: "size=1m,ro,noexec,uid=1000" };
  assert.equal(await volumeMount(options), {
    type: "tmpfs",
    source: "tmpfs",
    flags: 9,
    data: "size=1m,uid=1000",
  });
  assert.is(await volumeMount({ type: "none", device: "/srv", o: "bind" }), undefined);
  assert.is(await volumeMount(null), undefined);
});

test("list filters by name, label and use", async ({ volumes }) => {
  await volumes.create({ Name: "web-data", Labels: { tier: "web" } });
  await volumes.create({ Name: "db-data" });
  volumes.setUsers(() => [{ containerId: "c1", volumes: ["db-data"] }]);
  const names = (filters: Record<string, string[]>): string[] =>
    volumes.list(new Filters(filters)).map(({ Name }) => Name);
  assert.equal(names({ name: ["db"] }), ["db-data"]);
  assert.equal(names({ label: ["tier=web"] }), ["web-data"]);
  assert.equal(names({ dangling: ["true"] }), ["web-data"]);
});

async function refused(work: Promise<unknown>, kind: string): Promise<EngineError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.instance(error, EngineError);
  assert.is((error as EngineError).kind, kind);
  return error as EngineError;
}

test.run();
