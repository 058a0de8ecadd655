/** Archives of the pulled images, the store's opening, and what layers cost a container. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Catalog } from "../../engine/images/catalog.ts";
import { digestOf } from "../../engine/images/digest.ts";
import { openStore } from "../engine/images/fixture.ts";
import type { Sandbox } from "../helpers/sandbox.ts";
import { compare, inTurn, type Row, type Side } from "./measure.ts";

const LOADED = "bench-loaded:1";

/** `load` of what dockerd saved, where there is one, and `save` of what was pulled. */
export function benchArchives(
  sides: readonly Side[],
  image: string,
  removeImages: (side: Side) => void,
): Row[] {
  const directory = mkdtempSync("/var/tmp/slipway-bench-archives-");
  const archive = join(directory, "image.tar");
  try {
    for (const side of sides) side.run("pull", "-q", side.image(image));
    const saver = sides[1] ?? (sides[0] as Side);
    saver.run("tag", saver.image(image), LOADED);
    saver.run("save", "-o", archive, LOADED);
    const saves = compare("images: save of a pulled one", () => "≤ 300 ms", sides, {
      prepare: () => rmSync(join(directory, "saved.tar"), { force: true }),
      run: (side) => void side.run("save", "-o", join(directory, "saved.tar"), side.image(image)),
    });
    const remove = (side: Side): void => {
      removeImages(side);
      if (side.run("images", "-q", LOADED).trim() !== "") side.run("rmi", "-f", LOADED);
    };
    const loads = compare("images: load", () => "≥ 5", sides, {
      prepare: remove,
      run: (side) => void side.run("load", "-q", "-i", archive),
    });
    for (const side of sides) remove(side);
    return [...loads, ...saves];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A container's start: of an image of ten layers beside one of one layer. */
export async function benchLayers({ client }: Sandbox, ten: string, one: string): Promise<Row> {
  const start = (Image: string) => async (): Promise<void> => {
    const { Id } = await client.createContainer({
      name: "",
      Image,
      Cmd: ["true"],
      HostConfig: { NetworkMode: "none" },
    });
    await client.startContainer(Id);
    await client.removeContainer(Id, { force: true });
  };
  const times = await inTurn(15, start(ten), start(one));
  return {
    name: "images: container of ten layers",
    ...times,
    peerName: "of one layer",
    unit: "ms",
    mark: "≤ 2 ms more",
  };
}

const IMAGES = 1000;
const OWN_LAYERS = 3;

/** A store of a thousand images with three layers of their own each, and two that all have. */
export async function benchStoreOpen(): Promise<Row> {
  await using of = await openStore();
  const { catalog } = of.images.store;
  for (let at = 0; at < IMAGES; at++) addImage(catalog, of.paths, at);
  await catalog.save();
  const times = await inTurn(10, async () => {
    (await of.reopen()).transport.close();
  });
  return { name: "images: open a store of 1,000", ...times, peerName: "", unit: "ms", mark: "≤ 20 ms" };
}

function addImage(
  catalog: Catalog,
  paths: { blobs: string; layer(diffId: string): string },
  at: number,
): void {
  const own = Array.from({ length: OWN_LAYERS }, (_, layer) => digestOf(`${at} ${layer}`));
  const layers = [digestOf("base"), digestOf("common"), ...own];
  for (const diffId of layers) {
    if (catalog.layers.has(diffId)) continue;
    const blob = {
      digest: digestOf(`packed ${diffId}`),
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      size: 1,
    };
    catalog.layers.set(diffId, { size: 1, archiveSize: 1, blobs: [blob] });
    mkdirSync(paths.layer(diffId), { recursive: true });
  }
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: layers },
    at,
  });
  const id = digestOf(config);
  writeFileSync(join(paths.blobs, id.slice("sha256:".length)), config);
  catalog.images.set(id, { layers, parent: "", created: "", lastTagged: "", manifests: [] });
  catalog.setName(`docker.io/library/image-${at}:latest`, id);
}
