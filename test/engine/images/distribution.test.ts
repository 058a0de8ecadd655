import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseReference } from "../../../engine/images/reference.ts";
import { DebianRegistry } from "./debian-registry.ts";
import { archiveOf, openStore } from "./fixture.ts";

const distribution = suite("images/distribution");

for (const [what, options] of [
  ["plain", {}],
  ["with a login", { login: true }],
  ["with TLS of a private authority and a login", { tls: true, login: true }],
] as const) {
  distribution(`an image goes through Debian's registry and comes back the same: ${what}`, async () => {
    await using server = await DebianRegistry.open(options);
    const settings = { certificates: [join(server.directory, "certs.d")] };
    await using from = await openStore(settings);
    await using to = await openStore(settings);
    const auth = { username: "user", password: "pass:word" };
    const name = `${server.host}/team/app:1`;
    const base = await from.images.import(
      archiveOf({ path: "etc/os", content: "base" }, { path: "bin/", mode: 0o711 }),
    );
    const top = await from.images.import(archiveOf({ path: "app", content: "a".repeat(100_000) }));
    const image = await from.images.createImage(
      { architecture: base.config.architecture, os: "linux", config: { Cmd: ["/app"] } },
      [...base.layers, ...top.layers],
      { tags: [name] },
    );
    await from.images.push(name, { auth }, () => {});
    const pulled = await to.images.pull(name, { auth }, () => {});
    assert.is(pulled.id, image.id);
    const [layer = ""] = to.images.layerDirs(to.images.get(name));
    assert.is(readFileSync(join(layer, "app"), "utf8").length, 100_000);
    assert.equal((await to.images.verify(false)).findings, []);
    // Under another name the blobs are mounted; by digest it is the same image.
    await to.images.tag(name, `${server.host}/other/app:2`);
    await to.images.push(`${server.host}/other/app:2`, { auth }, () => {});
    const byDigest = to.images.get(name).repoDigests.find((digest) => digest.includes("/team/")) ?? "";
    await to.images.remove(name);
    await to.images.remove(`${server.host}/other/app:2`);
    assert.is((await to.images.pull(byDigest, { auth }, () => {})).id, image.id);
    const remote = await to.images.remoteManifest(`${server.host}/other/app:2`, { auth });
    assert.is(`${server.host}/team/app@${remote.digest}`, byDigest);
  });
}

distribution(
  "a wrong password and an unknown authority are errors that do not tell the password",
  async () => {
    await using server = await DebianRegistry.open({ login: true });
    await using of = await openStore();
    const name = `${server.host}/x:1`;
    await of.images.import(archiveOf({ path: "x", content: "x" }), { reference: parseReference(name) });
    const auth = { username: "user", password: "secret-wrong" };
    const attempts = [
      () => of.images.push(name, { auth }, () => {}),
      () => of.images.pull(name, { auth }, () => {}),
    ];
    for (const attempt of attempts) {
      const error = await attempt().then(
        () => undefined,
        (reason: Error) => reason,
      );
      assert.match(error?.message ?? "", /unauthorized|denied/);
      assert.not.match(JSON.stringify([error, error?.message, error?.stack]), /secret-wrong|c2VjcmV0/);
    }
  },
);

distribution("a push and a pull get over connections that are cut", async () => {
  await using server = await DebianRegistry.open();
  await using from = await openStore();
  await using to = await openStore();
  const [host = "", port = ""] = server.host.split(":");
  let cuts = 0;
  // Lets 2 MB through in either direction, and then cuts the connection, a few times.
  const proxy = createServer((client) => {
    const inner = connect(Number(port), host);
    let passed = 0;
    const count = (chunk: Buffer): void => {
      passed += chunk.length;
      if (passed < 2 << 20 || cuts >= 4) return;
      cuts++;
      passed = Number.NEGATIVE_INFINITY;
      client.destroy();
      inner.destroy();
    };
    for (const [one, other] of [
      [client, inner],
      [inner, client],
    ] as const)
      one
        .on("data", count)
        .on("error", () => other.destroy())
        .pipe(other);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  try {
    const name = `127.0.0.1:${(proxy.address() as AddressInfo).port}/big:1`;
    const content = randomBytes(5 << 20);
    await from.images.import(archiveOf({ path: "big", content }), { reference: parseReference(name) });
    await from.images.push(name, {}, () => {});
    assert.ok(cuts > 0, "nothing was cut");
    cuts = 1;
    await to.images.pull(name, {}, () => {});
    assert.is(cuts, 3);
    const [layer = ""] = to.images.layerDirs(to.images.get(name));
    assert.ok(readFileSync(join(layer, "big")).equals(content));
  } finally {
    proxy.close();
  }
});

distribution.run();
