import { resolve } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as values from "../../../src/cli/build-options.ts";
import { AppError } from "../../../src/errors.ts";

const options = suite("src/cli/build-options");

const ENV = { TOKEN: "word", SSH_AUTH_SOCK: "/run/agent" };

for (const [text, expected] of [
  ["out", { type: "local", dest: resolve("out") }],
  ["-", { type: "tar", dest: "-" }],
  ["type=image", { type: "image" }],
  ["type=oci,dest=/x.tar", { type: "oci", dest: "/x.tar" }],
] as const) {
  options(`--output ${text}`, () => assert.equal(values.readOutput(text), expected));
}

for (const [text, expected] of [
  ["id=a,src=/f", { id: "a", file: "/f" }],
  ["id=a,env=TOKEN", { id: "a", value: "word" }],
  ["id=TOKEN", { id: "TOKEN", value: "word" }],
  ["type=env,id=a,src=TOKEN", { id: "a", value: "word" }],
] as const) {
  options(`--secret ${text}`, () => assert.equal(values.readSecret(text, ENV), expected));
}

options("agents, contexts, limits, hosts and caches are read", () => {
  assert.equal(values.readAgent("default", ENV), { id: "default", socket: "/run/agent" });
  assert.equal(values.readAgent("git=/s", {}), { id: "git", socket: "/s" });
  assert.equal(values.readNamedContext("a=docker-image://b"), ["a", "docker-image://b"]);
  assert.equal(values.readNamedContext("a=../b"), ["a", resolve("../b")]);
  assert.equal(values.readUlimit("nofile=1:2"), { Name: "nofile", Soft: 1, Hard: 2 });
  assert.equal(values.readUlimit("core=0"), { Name: "core", Soft: 0, Hard: 0 });
  assert.is(values.readHost("a=1.2.3.4"), "a:1.2.3.4");
  assert.equal(values.readCache("--cache-to", "type=local,dest=/c,mode=max"), {
    type: "local",
    dest: "/c",
    mode: "max",
  });
  assert.equal(values.readCache("--cache-to", "type=inline"), { type: "inline" });
  assert.equal(values.readCache("--cache-from", "team/app:1"), { type: "registry", ref: "team/app:1" });
});

options("outputs and attestations are read", () => {
  assert.equal(values.readOutput("type=registry,rewrite-timestamp=true"), {
    type: "registry",
    rewriteTimestamp: true,
  });
  assert.equal(values.readOutput("type=oci,dest=/d,tar=false"), { type: "oci", tar: false, dest: "/d" });
  assert.is(values.readAttest({}), undefined);
  assert.is(values.readAttest({ provenance: "false" }), undefined);
  assert.equal(values.readAttest({ provenance: "mode=max", sbom: "true" }), {
    provenance: "max",
    sbom: true,
  });
  assert.equal(values.readAttest({ attest: ["type=provenance"] }), { provenance: "min" });
});

for (const [what, work] of [
  ["--attest of another kind", () => values.readAttest({ attest: ["type=x"] })],
  ["--output of a directory to standard output", () => values.readOutput("type=oci,dest=-,tar=false")],
  ["--secret without an id", () => values.readSecret("src=/f", ENV)],
  ["--secret of an unset variable", () => values.readSecret("id=a,env=NONE", ENV)],
  ["--output of a kind without a place", () => values.readOutput("type=local")],
  ["--ssh without an agent", () => values.readAgent("default", {})],
  ["--cache-from of a service", () => values.readCache("--cache-from", "type=gha")],
  ["--ulimit without a value", () => values.readUlimit("nofile")],
] as const) {
  options(`${what} is refused`, () => {
    assert.throws(work, (error: unknown) => error instanceof AppError && error.code === "USAGE");
  });
}

options.run();
