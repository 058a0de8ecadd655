import type { Environment } from "./environment.ts";
import type { MapNode } from "./node.ts";
import type { Problems } from "./problems.ts";
import type { Reader } from "./source.ts";

/** What files are loaded with; included files have their own. */
export interface Loading {
  readonly reader: Reader;
  readonly problems: Problems;
  readonly environment: Environment;
  /** Absolute: what relative paths start from. */
  readonly directory: string;
  /** Files on the way from the first one to these, for cycles. */
  readonly including: readonly string[];
  readonly interpolation: boolean;
}

/** Loads files, each over the ones before; include needs it, and it needs include. */
export type LoadFiles = (paths: readonly string[], loading: Loading) => MapNode;
