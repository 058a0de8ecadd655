import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Canonical, canonical } from "../../../src/reconcile/canonical.ts";
import { serviceDefinition } from "../../../src/reconcile/definition.ts";
import { diff, printChange } from "../../../src/reconcile/diff.ts";
import { project } from "../project.ts";

const changes = suite("reconcile/diff");

for (const [what, from, to, expected] of [
  [
    "a changed value",
    { environment: { LOG: "info" } },
    { environment: { LOG: "debug" } },
    "environment.LOG info → debug",
  ],
  ["a new value", {}, { image: "busybox" }, "image → busybox (added)"],
  ["a value that is gone", { user: "me" }, {}, "user removed (was me)"],
  ["a command", { command: ["a", "b"] }, { command: ["a", "c d"] }, "command a b → a c d"],
  [
    "a list of words",
    { dns: ["1.1.1.1"] },
    { dns: ["1.1.1.1", "9.9.9.9"] },
    "dns [1.1.1.1] → [1.1.1.1, 9.9.9.9]",
  ],
  [
    "a port",
    { ports: [{ target: 80, published: "8080" }] },
    { ports: [{ target: 80, published: "8081" }] },
    "ports.80/tcp.published 8080 → 8081",
  ],
  [
    "a secret value",
    { environment: { DB_PASSWORD: "a" } },
    { environment: { DB_PASSWORD: "b" } },
    "environment.DB_PASSWORD changed",
  ],
] as const) {
  changes(`${what}: ${expected}`, () => {
    assert.is(diff(from as Canonical, to as Canonical).map(printChange)[0], expected);
  });
}

changes("an entry that is put before others does not change them", () => {
  const mount = (target: string) => ({ type: "bind", source: `/src${target}`, target });
  const found = diff({ volumes: [mount("/b")] }, { volumes: [mount("/a"), mount("/b")] });
  assert.ok(found.every(({ path }) => path.startsWith("volumes./a")));
});

changes("spelling, order of keys and what is empty make no difference", () => {
  assert.equal(canonical({ b: 1, a: {}, c: undefined }), canonical({ c: null, b: 1 }));
});

changes("what only this program reads is not part of a definition", () => {
  const bare = project({ web: {} });
  const dressed = project({
    web: {
      scale: 3,
      pull_policy: "always",
      profiles: ["x"],
      stop_grace_period: "3s",
      build: { context: "/x" },
      attach: false,
    },
  });
  assert.equal(
    serviceDefinition(dressed, dressed.services["web"]!, {}),
    serviceDefinition(bare, bare.services["web"]!, {}),
  );
});

changes("the content of a secret is part of it", () => {
  const shop = project(
    { web: { secrets: [{ source: "pw" }] } },
    { secrets: { pw: { name: "pw", file: "/pw" } } },
  );
  const definition = (digest: string) =>
    serviceDefinition(shop, shop.services["web"]!, { "secrets.pw": digest });
  assert.is(diff(definition("a"), definition("b")).length, 1);
});

changes.run();
