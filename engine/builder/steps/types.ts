import type { StepRunner, Ulimit } from "../../containers/types.ts";
import type { Images } from "../../images/images.ts";
import type { TreeRoot } from "../../native/trees.ts";
import type { Workers } from "../../native/workers.ts";
import type { Paths } from "../../store/paths.ts";
import type { CacheMounts } from "../cache-mounts.ts";
import type { SourceTree } from "../context/tree.ts";
import type { Manifest } from "../manifest.ts";
import type { TreeSource } from "../plan/types.ts";
import type { Remotes } from "../remotes.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Secret } from "../types.ts";
import type { Earlier } from "./again.ts";

/** Layers, bottom first. */
export type Chain = readonly Snapshot[];

/** What the steps of one build work with. */
export interface StepTools {
  readonly paths: Paths;
  readonly workers: Workers;
  readonly images: Pick<Images, "layerDir">;
  readonly runner: StepRunner;
  readonly cacheMounts: CacheMounts;
  readonly remotes: Remotes;
  readonly extraHosts: readonly string[];
  readonly shmSize: number | undefined;
  readonly ulimits: readonly Ulimit[];
  readonly entitlements: ReadonlySet<string>;
  readonly epoch: number | undefined;
  readonly signal: AbortSignal;
  /** @returns undefined where the build was given none of that name */
  secret(id: string): Promise<Secret | undefined>;
  /** The socket of an SSH agent. */
  agent(id: string): Promise<string | undefined>;
  /** A tree that files are taken from; waits until the stage that makes it is done. */
  tree(source: TreeSource): Promise<SourceTree>;
  /** A new directory of this build's own on the file system of the layers; it goes when the build ends. */
  scratch(): Promise<string>;
}

/** Where a step writes. */
export interface Target {
  readonly upper: string;
  readonly work: string;
  /** Layers below, top first. */
  readonly lowers: readonly string[];
  /** All of it together, writable. */
  readonly tree: TreeRoot;
}

/** A step whose input is known, and not yet done. */
export interface Prepared {
  /** What the result hangs on besides the layers below, by name. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The result does not hang on the layers below. */
  readonly independent: boolean;
  /** What a COPY of one directory takes; the next run of the instruction then copies only what changed. */
  readonly manifest?: Manifest | undefined;
  /** @param earlier the result of the same instruction with the same target on the same layers */
  perform(
    target: Target,
    output: (stream: "stdout" | "stderr", data: Uint8Array) => void,
    earlier?: Earlier,
  ): Promise<void>;
}
