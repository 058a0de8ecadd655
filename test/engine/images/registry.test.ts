import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EngineError } from "../../../engine/errors.ts";
import { parseReference } from "../../../engine/images/reference.ts";
import { parseChallenges } from "../../../engine/images/registry/auth.ts";
import { RegistrySession } from "../../../engine/images/registry/session.ts";
import { DEFAULT_SETTINGS } from "../../../engine/images/registry/settings.ts";
import { Transport } from "../../../engine/images/registry/transport.ts";
import type { ProgressMessage } from "../../../engine/images/types.ts";
import { DebianRegistry } from "./debian-registry.ts";
import { archiveOf, openStore, type Store } from "./fixture.ts";
import { RegistryServer } from "./registry-server.ts";

const registry = suite("images/registry");

const big = { path: "big", content: randomBytes(300_000) };
const small = { path: "etc/small", content: "s" };

async function lines(
  work: (progress: (message: ProgressMessage) => void) => Promise<unknown>,
): Promise<string[]> {
  const all: string[] = [];
  await work(({ status = "", id }) =>
    all.push(id === undefined ? status : `${id.length === 12 ? "LAYER" : id}: ${status}`),
  );
  return all.filter((line) => !/Downloading|Extracting|Pushing/.test(line));
}

async function fails(work: Promise<unknown>, kind: string, text: RegExp): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, EngineError);
    assert.is((error as EngineError).kind, kind, (error as Error).message);
    assert.match((error as EngineError).message, text);
    return;
  }
  assert.unreachable("it should have failed");
}

function contentOf(of: Store, name: string, path: string): Buffer | undefined {
  for (const directory of of.images.layerDirs(of.images.get(name))) {
    if (existsSync(join(directory, path))) return readFileSync(join(directory, path));
  }
  return undefined;
}

registry("an image is pulled, and a second pull asks once and does nothing", async () => {
  await using of = await openStore();
  await using server = await RegistryServer.open();
  const digest = server.addImage("a/x:1", [[small], [big]]);
  const name = `${server.host}/a/x:1`;
  const told = await lines((progress) => of.images.pull(name, {}, progress));
  assert.equal(told.slice(0, 2), ["1: Pulling from a/x", "LAYER: Pulling fs layer"]);
  for (const status of ["Verifying Checksum", "Download complete", "Pull complete"]) {
    assert.is(told.filter((line) => line === `LAYER: ${status}`).length, 2, told.join(", "));
  }
  assert.equal(told.slice(-2), [`Digest: ${digest}`, `Status: Downloaded newer image for ${name}`]);
  assert.equal(contentOf(of, name, "big"), big.content);
  assert.equal(of.images.get(name).repoDigests, [`${server.host}/a/x@${digest}`]);
  server.requests.length = 0;
  const again = await lines((progress) => of.images.pull(name, {}, progress));
  assert.is(again.at(-1), `Status: Image is up to date for ${name}`);
  assert.equal(server.requests, ["HEAD /v2/a/x/manifests/1"]);
});

for (const [what, misbehaviour] of [
  ["a connection that is cut again and again", { cut: { after: 70_000, times: 4 } }],
  ["a server that cannot go on amid a blob", { cut: { after: 70_000, times: 3 }, noRanges: true }],
  ["429 and 503", { refuse: { status: 429, times: 3 } }],
] as const) {
  registry(`a pull gets over ${what}`, async () => {
    await using of = await openStore();
    await using server = await RegistryServer.open();
    server.addImage("x:1", [[big]]);
    server.misbehaviour = structuredClone(misbehaviour);
    await of.images.pull(`${server.host}/x:1`, {}, () => {});
    assert.equal(contentOf(of, `${server.host}/x:1`, "big"), big.content);
  });
}

registry("what arrived before a failure is not fetched again", async () => {
  await using of = await openStore();
  await using server = await RegistryServer.open();
  server.addImage("x:1", [[big]]);
  server.misbehaviour = { cut: { after: 200_000, times: 1 }, refuse: { status: 404, times: 0 } };
  const stop = new AbortController();
  const cut = of.images.pull(`${server.host}/x:1`, { signal: stop.signal }, ({ progressDetail }) => {
    if ((progressDetail?.current ?? 0) > 0) stop.abort(new EngineError("system", "stop"));
  });
  await fails(cut, "system", /stop/).catch(() => {});
  const [part = ""] = readdirSync(of.paths.ingest);
  assert.match(part, /^sha256-[0-9a-f]{64}\.part$/);
  assert.equal(of.images.list(), []);
  const images = await of.reopen();
  server.requests.length = 0;
  await images.pull(`${server.host}/x:1`, {}, () => {});
  assert.equal(contentOf(of, `${server.host}/x:1`, "big"), big.content);
  assert.equal(readdirSync(of.paths.ingest), []);
});

registry("a layer with another digest is refused, and nothing of it is left", async () => {
  await using of = await openStore();
  await using server = await RegistryServer.open();
  server.addImage("x:1", [[big]]);
  server.misbehaviour = { corrupt: true };
  await fails(
    of.images.pull(`${server.host}/x:1`, {}, () => {}),
    "invalid",
    /verification failed|unpacks to|no JSON|data|digest/,
  );
  await of.images.store.trash.empty();
  assert.equal(readdirSync(of.paths.layers), []);
  assert.equal(of.images.list(), []);
});

registry("zstd layers and plain ones are pulled, too", async () => {
  await using of = await openStore();
  await using server = await RegistryServer.open();
  server.addImage("z:1", [[big]], { pack: zstdCompressSync });
  server.addImage("p:1", [[small]], { pack: (tar) => tar });
  await of.images.pull(`${server.host}/z:1`, {}, () => {});
  await of.images.pull(`${server.host}/p:1`, {}, () => {});
  assert.equal(contentOf(of, `${server.host}/z:1`, "big"), big.content);
  assert.is(contentOf(of, `${server.host}/p:1`, "etc/small")?.toString(), "s");
});

registry("of an index the wanted platform is pulled, and a missing one is named", async () => {
  await using of = await openStore();
  await using server = await RegistryServer.open();
  const manifests = ["amd64", "arm64"].map((architecture) => ({
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: server.addImage(`x:${architecture}`, [[{ path: "arch", content: architecture }]], {
      architecture,
    }),
    size: 1,
    platform: { os: "linux", architecture },
  }));
  const attestation = { ...manifests[0], platform: { os: "unknown", architecture: "unknown" } };
  server.addManifest("x:1", {
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [attestation, ...manifests],
  });
  await of.images.pull(`${server.host}/x:1`, { platform: { os: "linux", architecture: "arm64" } }, () => {});
  assert.is(contentOf(of, `${server.host}/x:1`, "arch")?.toString(), "arm64");
  const work = of.images.pull(
    `${server.host}/x:1`,
    { platform: { os: "linux", architecture: "s390x" } },
    () => {},
  );
  await fails(work, "notFound", /^no matching manifest for linux\/s390x in the manifest list entries$/);
});

for (const token of [false, true]) {
  registry(
    `a login is used: ${token ? "for a token" : "directly"}; without it the answer is dockerd's`,
    async () => {
      await using of = await openStore();
      await using server = await RegistryServer.open();
      server.addImage("x:1", [[small]]);
      server.misbehaviour = { login: { user: "me", password: "pass:word", token } };
      const name = `${server.host}/x:1`;
      const failed = of.images.pull(name, { auth: { username: "me", password: "wrong" } }, () => {});
      await fails(failed, "forbidden", token ? /401/ : /^unauthorized: authentication required$/);
      const bare = of.images.pull(name, {}, () => {});
      await fails(bare, "forbidden", token ? /401/ : /^Get "http.*": no basic auth credentials$/);
      await of.images.pull(name, { auth: { username: "me", password: "pass:word" } }, () => {});
      assert.ok(of.images.resolve(name));
    },
  );
}

registry("a missing image and a missing registry are told apart", async () => {
  await using of = await openStore();
  await using server = await RegistryServer.open();
  const { host } = server;
  await fails(
    of.images.pull(`${host}/x:1`, {}, () => {}),
    "notFound",
    /^manifest for .*\/x:1 not found: manifest unknown: manifest unknown$/,
  );
  await fails(
    of.images.pull("127.0.0.1:1/x", {}, () => {}),
    "unavailable",
    /^Get "http:\/\/127\.0\.0\.1:1\/v2\/": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
  );
});

registry(
  "what is pushed can be pulled elsewhere, with the same digest; what is there is not sent again",
  async () => {
    await using of = await openStore();
    await using other = await openStore();
    await using server = await RegistryServer.open();
    const name = `${server.host}/a:1`;
    const image = await of.images.import(archiveOf(big), { reference: parseReference(name) });
    const pushed = await lines((progress) => of.images.push(name, { auth: {} }, progress));
    assert.match(pushed.at(-2) ?? "", /^1: digest: sha256:[0-9a-f]{64} size: \d+$/);
    assert.equal(pushed.slice(1, 3), ["LAYER: Preparing", "LAYER: Pushed"]);
    const again = await lines((progress) => of.images.push(name, { auth: {} }, progress));
    assert.is(again[2], "LAYER: Layer already exists");
    assert.is(again.at(-2), pushed.at(-2));
    await other.images.pull(name, {}, () => {});
    assert.is(other.images.get(name).id, image.id);
    // Pushed on from there under another name: mounted, and the manifest is the same to the byte.
    await other.images.tag(name, `${server.host}/b:2`);
    const mounted = await lines((progress) =>
      other.images.push(`${server.host}/b:2`, { auth: {} }, progress),
    );
    assert.is(mounted.at(-2)?.slice(3), pushed.at(-2)?.slice(3));
  },
);

registry("pulls of one image at a time do the work once", async () => {
  await using of = await openStore();
  await using server = await RegistryServer.open();
  server.addImage("x:1", [[big], [small]]);
  await Promise.all(Array.from({ length: 5 }, () => of.images.pull(`${server.host}/x:1`, {}, () => {})));
  const gets = server.requests.filter((line) => line.startsWith("GET /v2/x/blobs/"));
  assert.ok(new Set(gets).size <= 3 && gets.length <= 7, gets.join("\n")); // layers once, configurations at most each
  assert.is(readdirSync(of.paths.layers).length, 2);
});

registry("a mirror is asked first, and the registry when the mirror has it not", async () => {
  await using server = await RegistryServer.open();
  await using mirror = await RegistryServer.open();
  await using of = await openStore({ mirrors: { [server.host]: [`http://${mirror.host}`] } });
  server.addImage("x:1", [[small]]);
  server.addImage("y:1", [[small]]);
  mirror.addImage("x:1", [[small]]);
  await of.images.pull(`${server.host}/x:1`, {}, () => {});
  assert.equal(server.requests, []);
  await of.images.pull(`${server.host}/y:1`, {}, () => {});
  assert.ok(
    mirror.requests.includes("HEAD /v2/y/manifests/1") || mirror.requests.includes("GET /v2/y/manifests/1"),
  );
  assert.ok(of.images.resolve(`${server.host}/y:1`));
});

registry("a proxy of the environment is used, and never for loopback", async () => {
  await using server = await RegistryServer.open();
  server.addImage("x:1", [[small]]);
  const asked: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? "");
    asked.push(`${incoming.method} ${url.host}`);
    const inner = request(
      `http://${server.host}${url.pathname}`,
      { method: incoming.method, headers: incoming.headers },
      (response) => {
        outgoing.writeHead(response.statusCode ?? 500, response.headers);
        response.pipe(outgoing);
      },
    );
    incoming.pipe(inner);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const transport = new Transport(
    { ...DEFAULT_SETTINGS, insecure: ["registry.invalid"] },
    { HTTP_PROXY: address },
  );
  try {
    const session = new RegistrySession(transport, parseReference("registry.invalid/x:1"));
    assert.is((await session.manifest("1")).parsed.kind, "manifest");
    assert.ok(asked.includes("GET registry.invalid"), asked.join());
    asked.length = 0;
    await new RegistrySession(transport, parseReference(`${server.host}/x:1`)).manifest("1");
    assert.equal(asked, []);
  } finally {
    transport.close();
    proxy.closeAllConnections();
    proxy.close();
  }
});

registry("TLS goes through a proxy by CONNECT, except to the hosts of NO_PROXY", async () => {
  await using server = await DebianRegistry.open({ tls: true });
  const asked: string[] = [];
  const proxy = createServer().on("connect", (incoming, client) => {
    asked.push(`${incoming.url} ${incoming.headers["proxy-authorization"] ?? ""}`);
    const [, port = ""] = server.host.split(":");
    const inner = connect(Number(port), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      inner.pipe(client).pipe(inner);
    });
    for (const socket of [inner, client]) socket.on("error", () => inner.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = `http://user:word@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const settings = { ...DEFAULT_SETTINGS, insecure: ["registry.invalid"] };
  const transports = [{}, { NO_PROXY: "other.example,.invalid" }].map(
    (env) => new Transport(settings, { HTTPS_PROXY: address, ...env }),
  );
  try {
    const [through, past] = transports.map((transport) =>
      new RegistrySession(transport, parseReference("registry.invalid/x:1")).manifest("1").then(
        () => "",
        (error: Error) => error.message,
      ),
    );
    assert.match((await through) ?? "", /^manifest for registry\.invalid\/x:1 not found: manifest unknown/);
    assert.equal(asked, [`registry.invalid:443 Basic ${btoa("user:word")}`]);
    assert.match((await past) ?? "", /lookup registry\.invalid/);
    assert.is(asked.length, 1);
  } finally {
    for (const transport of transports) transport.close();
    proxy.closeAllConnections();
    proxy.close();
  }
});

registry("challenges are read as they are written", () => {
  assert.equal(parseChallenges('Bearer realm="https://a/t",service="x, y",scope="repository:a:pull"'), [
    { scheme: "bearer", params: { realm: "https://a/t", service: "x, y", scope: "repository:a:pull" } },
  ]);
  assert.equal(parseChallenges('Negotiate, Basic realm="r"'), [{ scheme: "basic", params: { realm: "r" } }]);
});

registry.run();
