import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { forgetLogin, keepLogin, loginFor, registryOf } from "../../../src/verbs/credentials.ts";
import { rejects } from "../../helpers/rejects.ts";

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

/** A helper that keeps one login in a file, and what it was told in another. */
const HELPER = `#!/bin/sh
cd "$(dirname "$0")" && input=$(cat) && echo "$1 $*" >> argv
case $1 in
  store) printf %s "$input" > kept ;;
  get) case $input in
    broken) echo "the keychain is locked"; exit 1 ;;
    *) [ -f kept ] && cat kept || { echo "credentials not found in native keychain"; exit 1; } ;;
    esac ;;
  erase) rm -f kept ;;
esac
`;

for (const [what, config] of [
  ["the store", { credsStore: "fake" }],
  ["the registry's own helper", { credsStore: "absent", credHelpers: { "registry.example": "fake" } }],
] as const) {
  credentials(`a login is kept by ${what}, its secret in no argument and no file of ours`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "slipway-login-"));
    const env = { DOCKER_CONFIG: directory, PATH: `${directory}:/usr/bin:/bin` };
    const file = join(directory, "config.json");
    try {
      writeFileSync(join(directory, "docker-credential-fake"), HELPER, { mode: 0o755 });
      writeFileSync(file, JSON.stringify(config));
      const image = "registry.example/web";
      assert.is(await loginFor(image, env), undefined);
      await keepLogin("registry.example", { username: "me", password: "secret" }, env);
      assert.equal(await loginFor(image, env), {
        username: "me",
        password: "secret",
        serveraddress: "registry.example",
      });
      assert.equal(JSON.parse(readFileSync(file, "utf8")), { ...config, auths: { "registry.example": {} } });
      await keepLogin("registry.example", { username: "me", identitytoken: "token" }, env);
      assert.is((await loginFor(image, env))?.identitytoken, "token");
      assert.ok(await forgetLogin("registry.example", env));
      assert.is(await loginFor(image, env), undefined);
      assert.not.match(readFileSync(join(directory, "argv"), "utf8"), /secret|token/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
}

credentials("a helper that fails says why; one that this machine lacks has no login", async () => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-login-"));
  const env = { DOCKER_CONFIG: directory, PATH: `${directory}:/usr/bin:/bin` };
  try {
    writeFileSync(join(directory, "docker-credential-fake"), HELPER.replace("broken", "localhost:5000"), {
      mode: 0o755,
    });
    writeFileSync(
      join(directory, "config.json"),
      JSON.stringify({ credsStore: "absent", credHelpers: { "localhost:5000": "fake" } }),
    );
    assert.is(await loginFor("registry.example/web", env), undefined);
    const error = await rejects(loginFor("localhost:5000/web", env), "ENGINE_FAILED");
    assert.match(error.message, /docker-credential-fake get: the keychain is locked/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

for (const [what, auths] of [
  ["with a scheme and a path", { "https://registry.example/v1/": { auth: btoa("me:word") } }],
  ["in plain fields", { "registry.example": { username: "me", password: "word" } }],
] as const) {
  credentials(`a login written ${what} is found, also in DOCKER_AUTH_CONFIG`, async () => {
    const env = { DOCKER_CONFIG: "/nowhere", DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) };
    const login = { username: "me", password: "word", serveraddress: "registry.example" };
    assert.equal(await loginFor("registry.example/web", env), login);
  });
}

credentials.run();
