import type { Container } from "./container.ts";
import type { Tools } from "./tools.ts";
import { upperOf } from "./tree.ts";

/** Bytes of a container's files, as `docker ps -s` shows them. */
export interface ContainerSize {
  /** What it has written. */
  readonly SizeRw: number;
  /** With the layers of its image. */
  readonly SizeRootFs: number;
}

export async function containerSize(tools: Tools, container: Container): Promise<ContainerSize> {
  const { bytes } = await tools.workers.measure({ kind: "dir", path: upperOf(tools, container) });
  const image = container.record.layers.reduce(
    (sum, layer) => sum + (tools.images.layer(layer)?.size ?? 0),
    0,
  );
  return { SizeRw: bytes, SizeRootFs: bytes + image };
}
