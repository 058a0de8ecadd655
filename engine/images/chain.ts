import { digestOf } from "./digest.ts";

/**
 * The ids that stand for a layer together with all below it, bottom first.
 *
 * @see OCI image-spec config.md, "Layer ChainID"
 */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}
