/** Pulls of a Debian image beside dockerd and Podman, each from the same registry's files on its own loopback. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DebianRegistry } from "../engine/images/debian-registry.ts";
import type { Sandbox } from "../helpers/sandbox.ts";
import { debianImages, IMAGES } from "./debian-images.ts";
import { median, must, type Row } from "./measure.ts";
import { PEER_NETNS } from "./peer.ts";

export interface ImagesBench {
  readonly sandbox: Sandbox;
  /** The stock client and its environment for our engine. */
  readonly docker: string;
  readonly ours: NodeJS.ProcessEnv;
  readonly peer: { readonly env: NodeJS.ProcessEnv } | undefined;
}

const ROUNDS = 3;

/** One of those that are compared. */
export interface Side {
  readonly name: string;
  /** What it calls an image of the registry. */
  readonly image: (name: string) => string;
  readonly run: (...args: string[]) => string;
}

/** Times the same work on each side in turn; what comes before each time is not counted. @returns rows, one a rival */
export function compare(
  name: string,
  mark: (rival: string) => string,
  sides: readonly Side[],
  work: { readonly prepare?: (side: Side) => void; readonly run: (side: Side) => void },
  rounds = ROUNDS,
): Row[] {
  const times = sides.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, side] of sides.entries()) {
      work.prepare?.(side);
      // Nobody pays for what another one left to be written.
      must("sync", []);
      const started = process.hrtime.bigint();
      work.run(side);
      times[at]?.push(Number(process.hrtime.bigint() - started) / 1e6);
    }
  }
  const [ours = Number.NaN, ...others] = times.map(median);
  if (others.length === 0) return [{ name, ours, peer: undefined, peerName: "", unit: "ms", mark: "" }];
  return others.map((peer, at) => {
    const peerName = sides[at + 1]?.name ?? "";
    return { name, ours, peer, peerName, unit: "ms", mark: mark(peerName) };
  });
}

export async function benchImages(bench: ImagesBench): Promise<Row[]> {
  const data = await debianImages();
  await using here = await DebianRegistry.open({ data, netns: bench.sandbox.netns });
  await using there = bench.peer && (await DebianRegistry.open({ data, netns: PEER_NETNS }));
  const podman = hasPodman() ? podmanSide(bench.sandbox, here.host) : undefined;
  const sides: Side[] = [
    {
      name: "slipway",
      image: (name) => `${here.host}/${name}`,
      run: (...args) => must(bench.docker, args, { env: bench.ours }),
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
    return [...pulls(sides)];
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

function removeImages(side: Side): void {
  for (const image of IMAGES) {
    try {
      side.run("rmi", "-f", side.image(image));
    } catch {
      // It is not there.
    }
  }
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
