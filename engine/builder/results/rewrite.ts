import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Images } from "../../images/images.ts";
import type { Lease } from "../../images/leases.ts";
import type { Workers } from "../../native/workers.ts";

export interface RewriteDeps {
  readonly images: Images;
  readonly workers: Workers;
  readonly lease: Lease;
  scratch(): Promise<string>;
}

/**
 * The same layer with no time later than the epoch, so that a build on another day gives the same bytes.
 *
 * @returns its diffId
 */
export async function rewriteLayer(diffId: string, epoch: number, deps: RewriteDeps): Promise<string> {
  const { images, workers, lease } = deps;
  const upper = join(await deps.scratch(), "upper");
  await mkdir(upper, { mode: 0o755 });
  const items = [{ source: "", target: "", contents: true }];
  const from = { kind: "dir", path: images.layerDir(diffId) } as const;
  await workers.copy(from, { kind: "dir", path: upper }, { items, mtime: { latest: epoch } });
  const identity = await images.identifyLayer(upper);
  lease.hold(identity.diffId);
  await images.adoptLayer(upper, identity);
  return identity.diffId;
}
