/** Pulls of a Debian image beside dockerd and Podman, each from the same registry's files on its own loopback. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DebianRegistry } from "../engine/images/debian-registry.ts";
import type { Sandbox } from "../helpers/sandbox.ts";
import { benchArchives, benchLayers, benchStoreOpen } from "./archives.ts";
import { debianImages, IMAGES } from "./debian-images.ts";
import { compare, must, type Row, type Side } from "./measure.ts";
import { PEER_NETNS } from "./peer.ts";

export interface ImagesBench {
  readonly sandbox: Sandbox;
  /** The stock client and its environment for our engine. */
  readonly docker: string;
  readonly ours: NodeJS.ProcessEnv;
  readonly peer: { readonly env: NodeJS.ProcessEnv } | undefined;
}

export async function benchImages(bench: ImagesBench): Promise<Row[]> {
  const data = await debianImages();
  await using here = await DebianRegistry.open({ data, netns: bench.sandbox.netns });
  await using there = bench.peer && (await DebianRegistry.open({ data, netns: PEER_NETNS }));
  const trash = join(bench.sandbox.dataRoot, "trash");
  const podman = hasPodman() ? podmanSide(bench.sandbox, here.host) : undefined;
  const sides: Side[] = [
    {
      name: "slipway",
      image: (name) => `${here.host}/${name}`,
      run: (...args) => must(bench.docker, args, { env: bench.ours }),
      // What others do while they answer `rmi` is done behind it here, and would go on into the next time.
      settle: () => {
        while (readdirSync(trash).length > 0) must("sleep", ["0.05"]);
      },
    },
  ];
  if (bench.peer !== undefined && there !== undefined) {
    const { env } = bench.peer;
    sides.push({
      name: "dockerd",
      image: (name) => `${there.host}/${name}`,
      run: (...args) => must("docker", args, { env }),
    });
  }
  if (podman !== undefined) sides.push(podman.side);
  try {
    const rows = [...pulls(sides), ...benchArchives(sides, IMAGES[0], removeImages)];
    const [ours] = sides as [Side];
    for (const image of IMAGES) ours.run("pull", "-q", ours.image(image));
    const [one, ten] = IMAGES.map((image) => ours.image(image)) as [string, string];
    return [...rows, await benchLayers(bench.sandbox, ten, one), await benchStoreOpen()];
  } finally {
    for (const side of sides.slice(0, 2)) removeImages(side);
    podman?.close();
  }
}

function pulls(sides: readonly Side[]): Row[] {
  const mark = (rival: string): string => (rival === "podman" ? "≥ 3" : "≥ 5");
  return IMAGES.flatMap((image) => [
    ...compare(`images: pull ${image}`, mark, sides, {
      prepare: removeImages,
      run: (side) => void side.run("pull", "-q", side.image(image)),
    }),
    ...compare(`images: pull ${image}, unchanged`, () => "", sides, {
      run: (side) => void side.run("pull", "-q", side.image(image)),
    }),
  ]);
}

/** Also under the names that a run which was cut short left. */
function removeImages(side: Side): void {
  const names = IMAGES.map((image) => image.replace(/:.*/, ""));
  const rows = side.run("images", "--format", "{{.Repository}} {{.ID}}").trim().split("\n");
  const ids = rows
    .map((row) => row.split(" "))
    .filter(([repository = ""]) => names.some((name) => repository.endsWith(`/${name}`)))
    .map(([, id = ""]) => id);
  if (ids.length > 0) side.run("rmi", "-f", ...new Set(ids));
}

function hasPodman(): boolean {
  try {
    must("podman", ["--version"]);
    return true;
  } catch {
    return false;
  }
}

/** Podman with a store of its own, in the namespace of the sandbox. */
function podmanSide({ netns }: Sandbox, host: string): { readonly side: Side; close(): void } {
  const root = mkdtempSync(join(tmpdir(), "slipway-bench-podman-"));
  const options = [
    "--root",
    join(root, "data"),
    "--runroot",
    join(root, "run"),
    "--storage-driver",
    "overlay",
  ];
  const run = (...args: string[]): string => {
    const insecure = args[0] === "pull" ? ["pull", "--tls-verify=false", ...args.slice(1)] : args;
    return must("nsenter", [`--net=/run/netns/${netns}`, "--", "podman", ...options, ...insecure]);
  };
  return {
    side: { name: "podman", image: (name) => `${host}/${name}`, run },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}
