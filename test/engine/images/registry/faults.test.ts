/** What registries, disks and kills do to a pull: it ends well, or with a clear error, and keeps what is whole. */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { login } from "../../../../engine/images/registry/login.ts";
import { DEFAULT_SETTINGS } from "../../../../engine/images/registry/settings.ts";
import { Transport } from "../../../../engine/images/registry/transport.ts";
import { until } from "../../../helpers/command.ts";
import { openStore, program, type Store } from "../fixture.ts";
import { RegistryServer } from "../registry-server.ts";

const faults = suite("images/registry/faults");

const big = { path: "big", content: randomBytes(3 << 20) };
const small = { path: "small", content: "s" };
const ME = { username: "me", password: "pass:word" };

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "nothing was refused",
    (error: Error) => error.message,
  );
}

async function isEmpty(store: Store): Promise<void> {
  await store.images.store.trash.empty();
  assert.equal(readdirSync(store.paths.layers), []);
  assert.equal(store.images.list(), []);
}

faults("a server that is busy everywhere, also for tokens, is asked again", async () => {
  await using store = await openStore();
  await using server = await RegistryServer.open();
  server.addImage("x:1", [[small]]);
  server.misbehaviour = { busy: 4, login: { user: "me", password: "pass:word", token: true } };
  await store.images.pull(`${server.host}/x:1`, { auth: ME }, () => {});
  assert.ok(store.images.resolve(`${server.host}/x:1`));
});

faults("a server that falls silent is left, and what it sent is kept", async () => {
  await using store = await openStore({}, 300);
  await using server = await RegistryServer.open();
  server.addImage("x:1", [[big]]);
  server.misbehaviour = { stall: { after: 1 << 20, times: 2 } };
  await store.images.pull(`${server.host}/x:1`, {}, () => {});
  assert.is(server.requests.filter((line) => line.startsWith("GET /v2/x/blobs/")).length, 4);
});

faults("tokens that run out amid a pull are renewed", async () => {
  await using store = await openStore();
  await using server = await RegistryServer.open();
  server.addImage("x:1", [[small], [big], [{ path: "third", content: "3" }]]);
  server.misbehaviour = { login: { user: "me", password: "pass:word", token: true, uses: 3 } };
  await store.images.pull(`${server.host}/x:1`, { auth: ME }, () => {});
  assert.ok(server.requests.filter((line) => line === "GET /token").length >= 2);
});

faults("a login gives a token that stands for the password, which is not sent again", async () => {
  await using store = await openStore();
  await using server = await RegistryServer.open();
  server.addImage("x:1", [[small]]);
  server.misbehaviour = { login: { user: "me", password: "pass:word", token: true } };
  const transport = new Transport(DEFAULT_SETTINGS, {});
  const identitytoken = await login(
    transport,
    { ...ME, serveraddress: server.host },
    AbortSignal.timeout(9000),
  );
  transport.close();
  assert.is(identitytoken, "identity");
  server.authorizations.length = 0;
  await store.images.pull(`${server.host}/x:1`, { auth: { identitytoken } }, () => {});
  assert.is(server.forms[0]?.get("scope"), "repository:x:pull");
  assert.not(server.authorizations.some((header) => header.startsWith("Basic")));
});

faults("a redirect to another host takes no login along", async () => {
  await using store = await openStore();
  await using server = await RegistryServer.open();
  await using elsewhere = await RegistryServer.open();
  server.addImage("x:1", [[big]]);
  elsewhere.addImage("x:1", [[big]]);
  server.misbehaviour = {
    login: { user: "me", password: "pass:word", token: false },
    elsewhere: `http://${elsewhere.host}`,
  };
  await store.images.pull(`${server.host}/x:1`, { auth: ME }, () => {});
  assert.ok(elsewhere.requests.length > 0);
  assert.equal(new Set(elsewhere.authorizations), new Set([""]));
});

const DIGEST = `sha256:${"1".repeat(64)}`;
const OCI = "application/vnd.oci.image.manifest.v1+json";
for (const [what, document, message] of [
  [
    "of the first schema",
    { schemaVersion: 1, mediaType: "", fsLayers: [] },
    /schema 1, which is not supported/,
  ],
  [
    "with more bytes than any has",
    { mediaType: OCI, padding: "x".repeat(5 << 20) },
    /more than 4194304 bytes/,
  ],
  [
    "with a digest that is a path",
    { mediaType: OCI, config: { digest: "../../x", size: 1 }, layers: [] },
    /bad digest/,
  ],
  [
    "with a size below zero",
    { mediaType: OCI, config: { digest: DIGEST, size: -1 }, layers: [] },
    /bad size/,
  ],
  [
    "with too many layers",
    {
      mediaType: OCI,
      config: { digest: DIGEST, size: 1 },
      layers: Array(501).fill({ digest: DIGEST, size: 1 }),
    },
    /501 layers, more than 500/,
  ],
  ["with a kind of its own", { mediaType: "text/html", config: { digest: DIGEST, size: 1 } }, /no layers/],
] as const) {
  faults(`a manifest ${what} is refused`, async () => {
    await using store = await openStore();
    await using server = await RegistryServer.open();
    server.addManifest("x:1", document);
    assert.match(await refusal(store.images.pull(`${server.host}/x:1`, {}, () => {})), message);
    await isEmpty(store);
  });
}

faults("an artifact that is no image, and one for another machine, are named so", async () => {
  await using store = await openStore();
  await using server = await RegistryServer.open();
  const config = { mediaType: "application/vnd.cncf.helm.config.v1+json", ...server.add(Buffer.from("{}")) };
  server.addManifest("chart:1", { mediaType: OCI, config, layers: [] });
  server.addImage("arm:1", [[small]], { architecture: "arm64" });
  assert.match(await refusal(store.images.pull(`${server.host}/chart:1`, {}, () => {})), /is no image's$/);
  const platform = { os: "linux", architecture: "amd64" };
  assert.match(
    await refusal(store.images.pull(`${server.host}/arm:1`, { platform }, () => {})),
    /does not match the specified platform: wanted linux\/amd64, actual: linux\/arm64$/,
  );
  await isEmpty(store);
});

faults("all tags of a repository are pulled at once", async () => {
  await using store = await openStore();
  await using server = await RegistryServer.open();
  for (const tag of ["1", "2"]) server.addImage(`x:${tag}`, [[small], [{ path: "tag", content: tag }]]);
  const told: string[] = [];
  const name = `${server.host}/x`;
  await store.images.pull(name, { allTags: true }, ({ status = "" }) => told.push(status));
  assert.equal(
    store.images
      .list()
      .flatMap(({ repoTags }) => repoTags)
      .sort(),
    [`${name}:1`, `${name}:2`],
  );
  assert.is(told.at(-1), `Status: Downloaded newer image for ${name}`);
});

faults("killed amid a layer, the next pull goes on where it was", async () => {
  await using store = await openStore();
  await using server = await RegistryServer.open();
  server.addImage("x:1", [[small], [big]]);
  server.misbehaviour = { stall: { after: 2 << 20, times: 1 } };
  const script = fileURLToPath(new URL("./pull-child.ts", import.meta.url));
  const args = [script, store.directory, program, `${server.host}/x:1`];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const part = (): string | undefined =>
    readdirSync(store.paths.ingest).find((name) => name.endsWith(".part"));
  const held = (): number =>
    statSync(join(store.paths.ingest, part() ?? ""), { throwIfNoEntry: false })?.size ?? 0;
  await until("half of it is on disk", () => part() !== undefined && held() >= 1 << 20);
  const had = held();
  child.kill("SIGKILL");
  await once(child, "exit");
  const images = await store.reopen();
  assert.equal(images.list(), []);
  let sent = 0;
  server.misbehaviour = { sent: (bytes) => (sent += bytes) };
  await images.pull(`${server.host}/x:1`, {}, () => {});
  assert.ok(sent <= (3 << 20) + 10_000 - had, `${sent} bytes came, ${had} were here`);
  assert.equal((await images.verify(false)).findings, []);
  assert.equal(readdirSync(store.paths.ingest), []);
});

faults("a full disk ends a pull; with more room the next one goes on", async () => {
  await using store = await openStore();
  await using server = await RegistryServer.open();
  server.addImage("x:1", [[small], [big]]);
  const data = store.paths.dataRoot;
  rmSync(data, { recursive: true });
  mkdirSync(data);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", data]);
  try {
    for (const [path, mode] of store.paths.directories) mkdirSync(path, { recursive: true, mode });
    const images = await store.reopen();
    assert.match(await refusal(images.pull(`${server.host}/x:1`, {}, () => {})), /ENOSPC|No space left/);
    assert.equal(images.list(), []);
    execFileSync("mount", ["-o", "remount,size=16m", data]);
    await (await store.reopen()).pull(`${server.host}/x:1`, {}, () => {});
    assert.equal((await store.images.verify(false)).findings, []);
  } finally {
    await store.images.store.trash.empty();
    execFileSync("umount", [data]);
  }
});

faults.run();
