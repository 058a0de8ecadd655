import type { Environment } from "./environment.ts";
import type { MapNode, Node } from "./node.ts";
import type { Problems } from "./problems.ts";
import type { Fetched } from "./remote.ts";
import type { Base, Reader } from "./source.ts";

/** What files are loaded with; included files have their own. */
export interface Loading extends Base {
  readonly reader: Reader;
  readonly problems: Problems;
  readonly environment: Environment;
  /** Files on the way from the first one to these, for cycles. */
  readonly including: readonly string[];
  readonly interpolation: boolean;
  /** Files of other machines that are here by now. */
  readonly fetched: Fetched;
  /** Documents by path: each file is parsed once. */
  readonly parsed: Map<string, readonly Node[]>;
}

/** Loads files, each over the ones before; include needs it, and it needs include. */
export type LoadFiles = (paths: readonly string[], loading: Loading) => MapNode;
