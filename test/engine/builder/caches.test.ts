/** Caches that travel: what a build left in a directory, a registry or an image is found by a builder that has nothing. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { until } from "../../helpers/command.ts";
import type { Running } from "../../helpers/running.ts";
import { Sandbox } from "../../helpers/sandbox.ts";
import { type Built, Kitchen } from "./kitchen.ts";

const caches = suite("engine/builder/caches");

const REGISTRY = "127.0.0.1:5000";
const TEXT = `FROM busybox AS tool
RUN echo tool > /tool
FROM busybox
WORKDIR /app
COPY f .
RUN --mount=from=tool,source=/tool,target=/t cat f /t > both
`;

let sandbox: Sandbox;
let kitchen: Kitchen;
let registry: Running;
let context: string;

caches.before(async () => {
  sandbox = await Sandbox.open();
  kitchen = new Kitchen(sandbox);
  registry = sandbox.startSlipway(["registry", "serve", "--listen", REGISTRY]);
  await until("it listens", () => registry.output().includes("Listening"));
  context = kitchen.context({ Dockerfile: TEXT, f: "f\n" });
});

caches.after(async () => {
  await registry.stop();
  kitchen[Symbol.dispose]();
  await sandbox.close();
});

/** As if it were another machine's builder. */
async function forget(...images: string[]): Promise<void> {
  for (const image of images) await sandbox.docker(["rmi", "-f", image]);
  assert.is((await sandbox.docker(["builder", "prune", "-af"])).status, 0);
}

async function build(options: Readonly<Record<string, unknown>>): Promise<Built> {
  const built = await kitchen.build(context, options);
  assert.is(built.error?.message, undefined);
  return built;
}

const states = ({ steps }: Built): string[] => steps.map((step) => step.split(" ")[0]!).sort();

for (const [type, to, from] of [
  ["local", () => ({ type: "local", dest: join(sandbox.directory, "cache") }), undefined],
  ["registry", () => `type=registry,ref=${REGISTRY}/team/cache:1`, undefined],
] as const) {
  caches(`a ${type} cache of all steps gives all steps, and the same image`, async () => {
    const entry = to();
    const max = typeof entry === "string" ? `${entry},mode=max` : { ...entry, mode: "max" };
    const source = typeof entry === "string" ? entry : { type: "local", src: entry.dest };
    const first = await build({ cacheTo: [max], tags: ["a"] });
    assert.equal(states(first), ["done", "done", "done", "done"]);
    await forget("a");
    const second = await build({ cacheFrom: [from ?? source], tags: ["a"] });
    assert.equal(states(second), ["cached", "cached", "cached", "cached"]);
    assert.is(second.id, first.id);
    assert.is(await kitchen.run("a", "cat /app/both"), "f\ntool");
    await forget("a");
  });
}

caches("the least mode leaves out what the image does not hold", async () => {
  const dest = join(sandbox.directory, "least");
  await build({ cacheTo: [`type=local,dest=${dest}`] });
  const layout = JSON.parse(readFileSync(join(dest, "index.json"), "utf8")) as {
    manifests: { digest: string }[];
  };
  const blob = (digest: string) =>
    JSON.parse(readFileSync(join(dest, "blobs/sha256", digest.slice("sha256:".length)), "utf8"));
  const { config, layers } = blob(layout.manifests[0]!.digest);
  assert.is(config.mediaType, "application/vnd.buildkit.cacheconfig.v0");
  assert.is(layers.length, 3);
  assert.is(blob(config.digest).records.length, 3);
});

caches("an image brings its cache along", async () => {
  const name = `${REGISTRY}/team/app:1`;
  await build({ cacheTo: ["type=inline"], tags: [name] });
  assert.is((await sandbox.docker(["push", name])).status, 0);
  await forget(name);
  const second = await build({ cacheFrom: [name], tags: ["b"] });
  // The tool's stage is in no layer of the image, but what it makes is what it made before.
  assert.equal(states(second), ["cached", "cached", "cached", "done"]);
  assert.is(await kitchen.run("b", "cat /app/both"), "f\ntool");
  await forget("b");
});

caches("a broken or missing cache is told of and built without", async () => {
  const dest = join(sandbox.directory, "cache");
  for (const name of readdirSync(join(dest, "blobs/sha256"))) {
    const path = join(dest, "blobs/sha256", name);
    if (readFileSync(path)[0] === 0x1f) writeFileSync(path, "no layer");
  }
  const missing = `${REGISTRY}/team/none:1`;
  const { steps } = await build({ cacheFrom: [`type=local,src=${dest}`, missing] });
  assert.ok(steps.every((step) => step.startsWith("done")));
});

caches("pruning takes what its filters name, and nothing else", async () => {
  const text = "FROM busybox\nRUN --mount=type=cache,id=kept,target=/c echo 1 > /c/f\nRUN echo other\n";
  const directory = kitchen.context({ Dockerfile: text });
  assert.is((await kitchen.build(directory)).error?.message, undefined);
  const prune = async (...words: string[]): Promise<string> => {
    const { stdout, stderr, status } = await sandbox.slipway(["builder", "prune", ...words]);
    assert.is(status, 0, stderr);
    return stdout;
  };
  const kept = async (): Promise<string> => {
    const { stdout, stderr, status } = await sandbox.slipway(["builder", "df"]);
    assert.is(status, 0, stderr);
    return stdout;
  };
  assert.is((await prune("-a", "--filter", "until=1h")).trim(), "reclaimed 0 B");
  await prune("--filter", "type=exec.cachemount");
  assert.not.match(await kept(), "cache mount");
  assert.match(await kept(), "RUN echo other");
  await prune("-a", "--filter", "description=echo other");
  assert.not.match(await kept(), "RUN echo other");
  assert.match(await kept(), "--mount=type=cache,id=kept");
  assert.is((await sandbox.slipway(["builder", "prune", "--filter", "parent=x"])).status, 1);
});

for (const [what, options, message] of [
  ["a cache elsewhere", { cacheTo: ["type=gha"] }, /type "gha" is not supported/],
  ["a mode", { cacheTo: ["type=local,dest=/x,mode=some"] }, /min or max/],
  ["a relative path", { cacheFrom: ["type=local,src=x"] }, /absolute path/],
] as const) {
  caches(`${what} that is not known is refused`, async () => {
    assert.match((await kitchen.build(context, options)).error?.message ?? "built", message);
  });
}

caches.run();
