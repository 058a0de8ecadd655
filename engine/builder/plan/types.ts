/**
 * A build plan: what each stage starts from, the steps that write files, and the configuration of its image. It is
 * made from the Dockerfile and its arguments alone, before anything runs: no step can change the configuration.
 */
import type { HistoryEntry, ImageConfig, RunConfig } from "../../images/types.ts";
import type { MountSharing } from "../dockerfile/mounts.ts";
import type { Range } from "../dockerfile/position.ts";

/** An image to build on. */
export interface BaseImage {
  readonly reference: string; // the full name, with its tag
  readonly id: string; // "sha256:…"
  readonly config: ImageConfig;
}

/** A tree that files are taken from. */
export type TreeSource =
  | { readonly kind: "empty" }
  | { readonly kind: "context" }
  /** A named context that is a directory. */
  | { readonly kind: "named"; readonly name: string }
  | { readonly kind: "image"; readonly image: BaseImage }
  | { readonly kind: "stage"; readonly stage: StagePlan };

export interface StagePlan {
  readonly name: string; // "stage-1" where it has none
  readonly base: TreeSource;
  readonly steps: readonly Step[];
  readonly image: ImageDraft;
  /** Every instruction of the stage as it is written, FROM first, with its step where it has one. */
  readonly instructions: readonly { readonly text: string; readonly step: Step | undefined }[];
  readonly range: Range;
}

/** An image's configuration without its layers; history entries that are not empty stand for one layer each, in order. */
export interface ImageDraft {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly author?: string;
  readonly config: RunConfig;
  readonly history: readonly HistoryEntry[];
}

export interface StepBase {
  /** `[web 2/5] COPY . .`, as progress shows it. */
  readonly title: string;
  readonly range: Range;
  /** Its entry in the stage's history. */
  readonly historyIndex: number;
  /** Never taken from the cache. */
  readonly noCache: boolean;
}

export interface RunStep extends StepBase {
  readonly kind: "run";
  readonly argv: readonly string[];
  /** `NAME=value`, ARGs included, proxies not. */
  readonly env: readonly string[];
  /** Proxy variables: in the environment, not in the cache key. */
  readonly proxies: readonly string[];
  readonly cwd: string;
  readonly user: string; // "" is root
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
  readonly mounts: readonly MountPlan[];
  /** A heredoc that begins with `#!`: the program itself. */
  readonly script: { readonly name: string; readonly content: string } | undefined;
}

export interface MountPlan {
  readonly type: "bind" | "cache" | "tmpfs" | "secret" | "ssh";
  readonly target: string; // absolute; "" where a secret goes to a variable only
  readonly from: TreeSource;
  readonly source: string; // in `from`, absolute
  readonly readonly: boolean;
  readonly id: string;
  readonly sharing: MountSharing;
  readonly required: boolean;
  readonly env: string | undefined;
  readonly size: number | undefined; // bytes
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

export interface WorkdirStep extends StepBase {
  readonly kind: "workdir";
  readonly path: string; // absolute
  readonly user: string; // owner of what is made
}

export interface CopyStep extends StepBase {
  readonly kind: "copy";
  readonly add: boolean;
  readonly items: readonly CopyItem[];
  readonly target: string; // absolute; with a "/" at its end it is a directory
  readonly chown: string | undefined;
  readonly chmod: number | string | undefined;
  /** Symbolic links of the image are not followed in the target. */
  readonly link: boolean;
  readonly exclude: readonly string[];
}

export type CopyItem =
  | {
      readonly kind: "path";
      readonly from: TreeSource;
      readonly path: string; // absolute in `from`, may hold wildcards
      /** `--parents`: what below `path`, and whether it must be there. */
      readonly include: string | undefined;
      readonly required: boolean;
      readonly unpack: boolean;
    }
  | { readonly kind: "file"; readonly name: string; readonly content: string }
  | {
      readonly kind: "url";
      readonly url: string;
      readonly name: string;
      readonly checksum: string | undefined;
      readonly unpack: boolean;
    }
  | {
      readonly kind: "git";
      readonly remote: string;
      readonly ref: string;
      readonly subdirectory: string;
      readonly checksum: string | undefined;
      readonly keepGitDirectory: boolean;
      readonly submodules: boolean;
    };

export type Step = RunStep | WorkdirStep | CopyStep;

export interface BuildPlan {
  readonly target: StagePlan;
  /** Every stage that the target needs, each after those it needs itself. */
  readonly stages: readonly StagePlan[];
  /** SOURCE_DATE_EPOCH, seconds. */
  readonly epoch: number | undefined;
}
