import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { forgetLogin, keepLogin, loginFor, registryOf } from "../../../src/verbs/credentials.ts";

const credentials = suite("verbs/credentials");

for (const [image, registry] of [
  ["busybox", "https://index.docker.io/v1/"],
  ["library/busybox:1", "https://index.docker.io/v1/"],
  ["docker.io/me/web", "https://index.docker.io/v1/"],
  ["registry.example/web:1", "registry.example"],
  ["localhost:5000/web", "localhost:5000"],
  ["localhost/web", "localhost"],
] as const) {
  credentials(`${image} comes from ${registry}`, () => assert.is(registryOf(image), registry));
}

credentials(
  "a login is kept for its registry alone, for nobody else to read, beside what was there",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "slipway-login-"));
    const env = { DOCKER_CONFIG: directory };
    const file = join(directory, "config.json");
    try {
      writeFileSync(file, JSON.stringify({ proxies: { x: 1 } }));
      await keepLogin("registry.example", { username: "me", password: "a:b" }, env);
      assert.equal(await loginFor("registry.example/web", env), {
        username: "me",
        password: "a:b",
        serveraddress: "registry.example",
      });
      assert.is(await loginFor("other.example/web", env), undefined);
      assert.is(statSync(file).mode & 0o777, 0o600);
      assert.ok(await forgetLogin("registry.example", env));
      assert.not(await forgetLogin("registry.example", env));
      assert.equal(JSON.parse(readFileSync(file, "utf8")), { proxies: { x: 1 }, auths: {} });
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);

credentials.run();
