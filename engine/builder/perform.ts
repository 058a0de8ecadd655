import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Images } from "../images/images.ts";
import type { Lease } from "../images/leases.ts";
import { FreshSnapshot } from "./snapshot.ts";
import type { Chain, Prepared, StepTools, Target } from "./steps/types.ts";

export interface PerformDeps {
  readonly images: Images;
  readonly lease: Lease;
  readonly tools: StepTools;
}

/** Does what a step does, in an upper directory over the layers below; that directory is the new layer. */
export async function performStep(
  { images, lease, tools }: PerformDeps,
  prepared: Prepared,
  chain: Chain,
  output: Parameters<Prepared["perform"]>[1],
  earlier: Parameters<Prepared["perform"]>[2],
  failed?: (error: unknown, upper: string, chain: Chain) => Promise<void>,
): Promise<FreshSnapshot> {
  tools.signal.throwIfAborted();
  const borrowed = await Promise.all(
    (prepared.independent ? [] : chain).map((snapshot) => snapshot.borrow()),
  );
  const target = await newTarget(borrowed.map(({ directory }) => directory).reverse(), tools);
  try {
    await prepared.perform(target, output, earlier).finally(() => {
      // Before anything waits for the layers below: they are stored when nobody uses their directories.
      for (const each of borrowed) each.release();
    });
  } catch (error) {
    await failed?.(error, target.upper, chain);
    throw error;
  }
  tools.signal.throwIfAborted();
  return new FreshSnapshot(target.upper, images, lease);
}

/** @param lowers top first */
async function newTarget(lowers: readonly string[], tools: StepTools): Promise<Target> {
  const directory = await tools.scratch();
  const upper = join(directory, `upper-${randomBytes(4).toString("hex")}`);
  const work = join(directory, "work");
  await mkdir(upper, { mode: 0o755 });
  await mkdir(work, { mode: 0o755 });
  const tree =
    lowers.length === 0
      ? { kind: "dir" as const, path: upper }
      : { kind: "overlay" as const, lowers, upper, work };
  return { upper, work, lowers, tree };
}
