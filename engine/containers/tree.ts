import { join } from "node:path";
import type { OverlayTree, TreeRoot } from "../native/trees.ts";
import type { Container } from "./container.ts";
import { initLayer } from "./rootfs.ts";
import type { Tools } from "./tools.ts";

/** A container's files as its program sees them, or would see them: volumes lie over the image's layers. */
export function containerTree(tools: Tools, container: Container): TreeRoot {
  const { live, record } = container;
  if (live !== undefined) return { kind: "process", pid: live.pid };
  const binds = record.mounts
    .filter((mount) => mount.Type !== "tmpfs")
    .map((mount) => ({ source: mount.Source, target: mount.Destination, readonly: !mount.RW }));
  return { ...layers(tools, container), binds };
}

/** The container's own files alone, to be read: its layer over the image's, without volumes and /proc. */
export function containerLayers(tools: Tools, container: Container): OverlayTree {
  const { lowers } = layers(tools, container);
  // A layer in use by the container's own mount must not be another's upper; as a lower it can be read.
  return { kind: "overlay", lowers: [upperOf(tools, container), ...lowers] };
}

export function upperOf(tools: Pick<Tools, "paths">, container: Container): string {
  return join(tools.paths.container(container.id), "upper");
}

/** The image's directories, top first, without the container's own. */
export function lowersOf(tools: Pick<Tools, "paths">, container: Container): readonly string[] {
  const { paths } = tools;
  return [...container.record.layers.toReversed().map((layer) => paths.layer(layer)), initLayer(paths)];
}

function layers(tools: Tools, container: Container): OverlayTree {
  const work = join(tools.paths.container(container.id), "work");
  return { kind: "overlay", lowers: lowersOf(tools, container), upper: upperOf(tools, container), work };
}
