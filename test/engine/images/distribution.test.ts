import { readFileSync } from "node:fs";
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

distribution.run();
