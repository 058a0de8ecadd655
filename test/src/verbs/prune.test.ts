import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { EngineClient } from "../../../src/client/client.ts";
import { imageTree } from "../../../src/verbs/objects/image-tree.ts";
import { describePrune, type PruneOptions, planPrune } from "../../../src/verbs/objects/prune.ts";
import { summarizeUsage } from "../../../src/verbs/objects/usage.ts";

const prune = suite("verbs/prune");

const HOUR = 3600;
const now = Math.floor(Date.now() / 1000);
const anonymous = { "com.docker.volume.anonymous": "" };

const container = (name: string, State: string, image: string, more: object = {}): object => ({
  Id: name,
  Names: [`/${name}`],
  State,
  ImageID: `sha256:${image}`,
  Labels: {},
  Created: now - 2 * HOUR,
  Mounts: [],
  NetworkSettings: { Networks: {} },
  ...more,
});
const image = (id: string, tags: readonly string[], hours: number, Labels: object | null = null): object => ({
  Id: `sha256:${id}`,
  RepoTags: tags,
  Created: now - hours * HOUR,
  Labels,
  Size: 1,
});

/** Two containers, one of which runs, and what they hold. */
const engine = {
  listContainers: async () => [
    container("runs", "running", "used", { NetworkSettings: { Networks: { used: {} } } }),
    container("ended", "exited", "old", {
      Mounts: [{ Name: "held" }],
      NetworkSettings: { Networks: { freed: {} } },
    }),
  ],
  listNetworks: async () => ["bridge", "used", "freed"].map((Name) => ({ Name, Labels: {}, Created: "" })),
  listVolumes: async () => [
    { Name: "held", Labels: anonymous },
    { Name: "named", Labels: null },
  ],
  listImages: async () => [
    image("used", [], 9),
    image("old", ["old:1", "old:2"], 5),
    image("0123456789abcdef", [], 3, { keep: "yes" }),
  ],
  diskUsage: async () => ({ BuildCache: [{ Size: 5 }, { Size: 0 }] }),
} as unknown as EngineClient;

const planned = async (options: Partial<PruneOptions>): Promise<string[]> =>
  describePrune(await planPrune(engine, { all: false, volumes: false, filters: {}, ...options }));

prune("what nothing uses is listed, with what only stopped containers hold", async () => {
  assert.equal(await planned({}), [
    "1 stopped container: ended",
    "1 network: freed",
    "1 image: 0123456789ab",
    "results of 1 build steps that no image has",
  ]);
  assert.equal((await planned({ all: true, volumes: true })).slice(2, 4), [
    "1 volume: held",
    "3 images: old:1, old:2, 0123456789ab",
  ]);
});

prune("filters choose by age and label", async () => {
  const results = "results of 1 build steps that no image has";
  const young = await planned({ all: true, filters: { until: ["4h"] } });
  assert.equal(young, [results], "what a container holds stays with it");
  assert.is((await planned({ filters: { until: ["1h"] } }))[0], "1 stopped container: ended");
  assert.equal(await planned({ filters: { label: ["keep"] } }), ["1 image: 0123456789ab", results]);
  assert.not.ok((await planned({ filters: { "label!": ["keep=yes"] } })).some((line) => /image:/.test(line)));
});

prune("an engine that does not say what is reclaimable has it summed up as Docker's client does", () => {
  const Images = [
    { Id: "sha256:a", Size: 10, SharedSize: 4, Containers: 1 },
    { Id: "sha256:b", Size: 7, SharedSize: 4, Containers: 0 },
  ];
  const usage = { LayersSize: 13, Images, Containers: null, Volumes: null, BuildCache: null };
  const [images] = summarizeUsage(usage as never);
  assert.equal(images, { kind: "Images", total: 2, active: 1, size: 13, reclaimable: 7 });
});

prune("images stand below those whose layers they build on", async () => {
  const layers: Readonly<Record<string, readonly string[]>> = {
    base: ["1"],
    one: ["1", "2"],
    two: ["1", "3"],
    other: ["4"],
  };
  const of = {
    listImages: async () =>
      Object.keys(layers).map((id) => ({ ...image(id, [id], 1), Size: layers[id]?.length })),
    inspectImage: async (id: string) => ({ RootFS: { Layers: layers[id.slice("sha256:".length)] } }),
  } as unknown as EngineClient;
  assert.equal(
    (await imageTree(of)).map(({ name, adds }) => `${name} ${adds}`),
    ["base 1", "├─ one 1", "└─ two 1", "other 1"],
  );
});

prune.run();
