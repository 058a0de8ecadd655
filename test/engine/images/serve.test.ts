import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseReference } from "../../../engine/images/reference.ts";
import { checkBcrypt } from "../../../engine/images/registry/serve/bcrypt.ts";
import { selfSigned } from "./debian-registry.ts";
import { archiveOf, openStore } from "./fixture.ts";

const serve = suite("images/registry/serve");

const here = { host: "127.0.0.1", port: 0 };
/** Of "pass:word", by libxcrypt. */
const HASH = "$2y$05$abcdefghijklmnopqrstuuDIEddBSuRWBBEY6g5zv60IAP5bSSfki";

serve("a password is checked as bcrypt does", () => {
  assert.ok(checkBcrypt("pass:word", HASH));
  assert.ok(checkBcrypt("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
  assert.not.ok(checkBcrypt("pass:wore", HASH));
  assert.not.ok(checkBcrypt("pass:word", ""));
  assert.not.ok(checkBcrypt("x", HASH.replace("$05$", "$31$")));
});

serve("what one store pushes another pulls, with a login, and mounts and tags are there", async () => {
  await using registry = await openStore();
  await using from = await openStore();
  await using to = await openStore();
  const service = await registry.images.serve({ ...here, htpasswd: `user:${HASH}\n` });
  try {
    const name = `${service.address}/team/app:1`;
    const auth = { username: "user", password: "pass:word" };
    const image = await from.images.import(archiveOf({ path: "app", content: "a".repeat(50_000) }), {
      reference: parseReference(name),
    });
    await from.images.push(name, { auth }, () => {}).catch(assert.unreachable);
    const messages: string[] = [];
    await from.images.tag(name, `${service.address}/other:2`);
    await from.images.push(`${service.address}/other:2`, { auth }, ({ status = "" }) =>
      messages.push(status),
    );
    assert.ok(
      messages.some((line) => /Mounted|already exists/.test(line)),
      messages.join(),
    );
    assert.is((await to.images.pull(name, { auth }, () => {})).id, image.id);
    const answer = await fetch(`http://${service.address}/v2/_catalog`, {
      headers: { authorization: `Basic ${btoa("user:pass:word")}` },
    });
    assert.equal(await answer.json(), { repositories: ["other", "team/app"] });
    assert.is((await fetch(`http://${service.address}/v2/`)).status, 401);
    const found = await to.images.search(`${service.address}/app`, { limit: 9, auth });
    assert.equal(
      found.map((result) => result.name),
      [`${service.address}/team/app`],
    );
    // A removal elsewhere does not take what was pushed.
    await registry.images.prune(new (await import("../../../engine/filters.ts")).Filters());
    await to.images.remove(name);
    assert.is((await to.images.pull(name, { auth }, () => {})).id, image.id);
  } finally {
    await service.close();
  }
});

serve("over TLS, with the registry's own authority, and not without it", async () => {
  await using of = await openStore();
  const [key, certificate] = [join(of.directory, "key.pem"), join(of.directory, "cert.pem")];
  await selfSigned(key, certificate);
  await of.images.import(archiveOf({ path: "f", content: "own" }), { reference: parseReference("mine:1") });
  const tls = { cert: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
  const service = await of.images.serve({ ...here, tls, htpasswd: `user:${HASH}\n` });
  const auth = { username: "user", password: "pass:word" };
  const certificates = [join(of.directory, "certs.d")];
  const trusted = join(of.directory, "certs.d", service.address);
  try {
    mkdirSync(trusted, { recursive: true });
    copyFileSync(certificate, join(trusted, "ca.crt"));
    await using to = await openStore({ certificates });
    const name = `${service.address}/mine:1`;
    await to.images.pull(name, { auth }, () => {});
    await to.images.tag(name, `${service.address}/pushed:2`);
    await to.images.push(`${service.address}/pushed:2`, { auth }, () => {});
    await selfSigned(key, join(trusted, "ca.crt")); // another authority, which counts at once
    await to.images
      .pull(`${service.address}/pushed:2`, { auth }, () => {})
      .then(
        () => assert.unreachable("another authority was believed"),
        (error: Error) => assert.match(error.message, /failed to verify certificate/),
      );
    await using other = await openStore({ certificates });
    await other.images
      .pull(name, { auth }, () => {})
      .then(
        () => assert.unreachable("another authority was believed"),
        (error: Error) => assert.match(error.message, /^Get "https:.*: tls: failed to verify certificate: /),
      );
  } finally {
    await service.close();
  }
});

serve("the engine's own images can be pulled under their names", async () => {
  await using own = await openStore();
  await using to = await openStore();
  const image = await own.images.import(archiveOf({ path: "f", content: "own" }), {
    reference: parseReference("mine:1"),
  });
  const service = await own.images.serve({ ...here, readonly: true });
  try {
    const name = `${service.address}/mine:1`;
    assert.is((await to.images.pull(name, {}, () => {})).id, image.id);
    assert.is(readFileSync(join(to.images.layerDirs(to.images.get(name))[0] ?? "", "f"), "utf8"), "own");
    assert.is((await fetch(`http://${service.address}/v2/x/blobs/uploads/`, { method: "POST" })).status, 405);
  } finally {
    await service.close();
  }
});

serve("an upload in pieces is taken up where it was, and a wrong digest is refused", async () => {
  await using of = await openStore();
  const service = await of.images.serve(here);
  const base = `http://${service.address}`;
  try {
    const begun = await fetch(`${base}/v2/x/blobs/uploads/`, { method: "POST" });
    const place = base + (begun.headers.get("location") ?? "");
    const first = await fetch(place, {
      method: "PATCH",
      body: "hello ",
      headers: { "content-range": "0-5" },
    });
    assert.equal([first.status, first.headers.get("range")], [202, "0-5"]);
    assert.is(
      (await fetch(place, { method: "PATCH", body: "x", headers: { "content-range": "9-9" } })).status,
      416,
    );
    assert.equal((await fetch(place)).headers.get("range"), "0-5");
    const digest = "sha256:b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"; // "hello world"
    assert.is((await fetch(`${place}?digest=${digest}`, { method: "PUT", body: "world" })).status, 201);
    assert.is(
      await (await fetch(`${base}/v2/x/blobs/${digest}`, { headers: { range: "bytes=6-" } })).text(),
      "world",
    );
    const wrong = await fetch(`${base}/v2/x/blobs/uploads/?digest=${digest}`, {
      method: "POST",
      body: "other",
    });
    assert.equal(
      [wrong.status, ((await wrong.json()) as { errors: { code: string }[] }).errors[0]?.code],
      [400, "DIGEST_INVALID"],
    );
    const manifest = JSON.stringify({
      schemaVersion: 2,
      config: { digest: `sha256:${"0".repeat(64)}`, size: 1 },
      layers: [],
    });
    assert.is((await fetch(`${base}/v2/x/manifests/1`, { method: "PUT", body: manifest })).status, 404);
    for (const path of [
      "/v2/../etc/passwd",
      "/v2/x/blobs/sha256:..%2f",
      "/v2/UP/manifests/1",
      "/v2/x/blobs/uploads/..%2f..%2fx",
    ]) {
      assert.is((await fetch(base + path)).status, 404, path);
    }
  } finally {
    await service.close();
  }
});

serve.run();
