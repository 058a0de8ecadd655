/** Where results go: layouts, registries with statements, archives of a fixed time. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { must, until } from "../../helpers/command.ts";
import type { Running } from "../../helpers/running.ts";
import { Sandbox } from "../../helpers/sandbox.ts";
import { type Built, Kitchen } from "./kitchen.ts";

const results = suite("engine/builder/results");

const REGISTRY = "127.0.0.1:5000";
const EPOCH = "1000000000";
const DPKG =
  "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9\nMaintainer: GNU <g@x>\n";
const APK = "P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\n\n";
const TEXT = `FROM busybox
ARG PASS
COPY dpkg /var/lib/dpkg/status
COPY apk /lib/apk/db/installed
RUN --mount=type=secret,id=s echo made > /made
`;

let sandbox: Sandbox;
let kitchen: Kitchen;
let registry: Running;
let context: string;

results.before(async () => {
  sandbox = await Sandbox.open();
  kitchen = new Kitchen(sandbox);
  registry = sandbox.startSlipway(["registry", "serve", "--listen", REGISTRY]);
  await until("it listens", () => registry.output().includes("Listening"));
  context = kitchen.context({ Dockerfile: TEXT, dpkg: DPKG, apk: APK });
});

results.after(async () => {
  await registry.stop();
  kitchen[Symbol.dispose]();
  await sandbox.close();
});

const place = (name: string): string => join(sandbox.directory, name);

async function build(options: Readonly<Record<string, unknown>>, directory = context): Promise<Built> {
  const built = await kitchen.build(directory, options);
  assert.is(built.error?.message, undefined);
  return built;
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly manifests: readonly { readonly digest: string; readonly annotations?: Record<string, string> }[];
  readonly layers: readonly { readonly digest: string; readonly annotations?: Record<string, string> }[];
}

const inLayout = (directory: string) => (digest: string) =>
  readFileSync(join(directory, "blobs/sha256", digest.slice("sha256:".length)), "utf8");

/** Statements by their type, of an index. */
function statementsOf(index: Manifest, read: (digest: string) => string): Record<string, unknown> {
  const [image, attestation] = index.manifests;
  assert.is(attestation?.annotations?.["vnd.docker.reference.digest"], image?.digest);
  const { layers } = JSON.parse(read(attestation!.digest)) as Manifest;
  const found = layers.map(
    ({ digest }) => JSON.parse(read(digest)) as { predicateType: string; subject: object[] },
  );
  for (const { subject } of found)
    assert.match(JSON.stringify(subject), image!.digest.slice("sha256:".length));
  return Object.fromEntries(found.map((each) => [each.predicateType, each]));
}

results("a layout has the image, how it was built and what is in it, and is built on again", async () => {
  const dest = place("layout");
  await build({
    outputs: [{ type: "oci", dest, tar: false }],
    attest: { provenance: "max", sbom: true },
    args: { PASS: "open" },
    secrets: [{ id: "s", value: "hush-hush" }],
    tags: ["app:1"],
  });
  const read = inLayout(dest);
  const top = JSON.parse(readFileSync(join(dest, "index.json"), "utf8")) as Manifest;
  assert.is(top.manifests[0]!.annotations?.["io.containerd.image.name"], "docker.io/library/app:1");
  const said = statementsOf(JSON.parse(read(top.manifests[0]!.digest)) as Manifest, read);
  const all = JSON.stringify(said);
  assert.match(all, '"pkg:deb/linux/libc6@2.36-9?arch=amd64&distro=linux"');
  assert.match(all, '"pkg:apk/linux/musl@1.2.5-r0?arch=x86_64&distro=linux"');
  assert.match(all, '"build-arg:PASS":"open"');
  assert.match(all, '"uri":"pkg:docker/busybox@latest?platform=linux%2Famd64"');
  assert.not.match(all, "hush-hush");

  const again = kitchen.context({ Dockerfile: "FROM base\nRUN cat /made > /seen\n" });
  await build({ contexts: { base: `oci-layout://${dest}:1` }, tags: ["again"] }, again);
  assert.is(await kitchen.run("again", "cat /seen"), "made");
});

results("the least provenance tells no arguments", async () => {
  const dest = place("least");
  await build({
    outputs: [{ type: "oci", dest, tar: false }],
    attest: { provenance: "min" },
    args: { PASS: "open" },
  });
  const read = inLayout(dest);
  const top = JSON.parse(readFileSync(join(dest, "index.json"), "utf8")) as Manifest;
  const said = statementsOf(JSON.parse(read(top.manifests[0]!.digest)) as Manifest, read);
  assert.not.match(JSON.stringify(said), "open");
});

results("an image is pushed with what is said about it, and pulled by its tag", async () => {
  const name = `${REGISTRY}/team/said:1`;
  await build({ outputs: [{ type: "registry" }], attest: { provenance: "min" }, tags: [name] });
  const curl = async (path: string): Promise<string> =>
    await must([
      ...["nsenter", `--net=/run/netns/${sandbox.netns}`, "--", "curl", "-s"],
      ...[
        "-H",
        "Accept: application/vnd.oci.image.index.v1+json",
        "-H",
        "Accept: application/vnd.oci.image.manifest.v1+json",
      ],
      `http://${REGISTRY}/v2/team/said/${path}`,
    ]);
  const index = JSON.parse(await curl("manifests/1")) as Manifest;
  const attestation = JSON.parse(await curl(`manifests/${index.manifests[1]!.digest}`)) as Manifest;
  assert.match(
    await curl(`blobs/${attestation.layers[0]!.digest}`),
    '"predicateType":"https://slsa.dev/provenance/v0.2"',
  );
  await sandbox.docker(["rmi", "-f", name]);
  assert.is((await sandbox.docker(["pull", name])).status, 0);
});

results("with an epoch and rewritten times two builds give the same bytes", async () => {
  const bytes = async (name: string): Promise<string> => {
    const dest = place(name);
    await build({
      outputs: [{ type: "oci", dest, rewriteTimestamp: true }],
      args: { SOURCE_DATE_EPOCH: EPOCH },
      noCache: true,
    });
    return createHash("sha256").update(readFileSync(dest)).digest("hex");
  };
  const first = await bytes("one.tar");
  await new Promise((resolve) => setTimeout(resolve, 1100)); // another second, for times of whole seconds
  assert.is(await bytes("two.tar"), first);
});

results("files that are written out have the epoch's time", async () => {
  const dest = place("files");
  await build({ outputs: [{ type: "local", dest }], args: { SOURCE_DATE_EPOCH: EPOCH } });
  assert.is(statSync(join(dest, "made")).mtimeMs / 1000, Number(EPOCH));
});

for (const [what, options, message] of [
  ["attestations of an image that stays here", { attest: { sbom: true } }, /travel with an image/],
  ["a push without a name", { outputs: [{ type: "registry" }] }, /needs a name/],
  [
    "a rewritten time without an epoch",
    { outputs: [{ type: "image", rewriteTimestamp: true }] },
    /SOURCE_DATE_EPOCH/,
  ],
  [
    "a layout that is not there",
    { contexts: { busybox: "oci-layout:///none" } },
    /index.json cannot be read/,
  ],
] as const) {
  results(`${what} is refused`, async () => {
    assert.match((await kitchen.build(context, options)).error?.message ?? "built", message);
  });
}

results.run();
