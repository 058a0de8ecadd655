/** What a build is asked for, and what it tells while it runs. */
import type { Readable } from "node:stream";
import type { Ulimit } from "../containers/types.ts";
import type { RegistryAuth } from "../images/types.ts";
import type { CacheFrom, CacheTo } from "./caches/entries.ts";
import type { Warning } from "./dockerfile/lint.ts";
import type { Attest, Output } from "./results/outputs.ts";

export type ContextSource =
  /** An absolute directory of this machine: it is read where it lies. */
  | { readonly kind: "directory"; readonly path: string }
  /** A tar, in any compression that is known. */
  | { readonly kind: "tar"; readonly stream: Readable }
  /** A git repository (`https://…/x.git#ref:directory`) or a tar to fetch. */
  | { readonly kind: "remote"; readonly url: string }
  /** No context: a Dockerfile alone. */
  | { readonly kind: "none" };

export interface BuildRequest {
  readonly context: ContextSource;
  /** Where the Dockerfile is: within the context, or absolute beside a directory context. Default `Dockerfile`. */
  readonly dockerfile?: string | undefined;
  /** The Dockerfile's text itself. */
  readonly dockerfileText?: string | undefined;
  readonly args?: Readonly<Record<string, string>> | undefined;
  readonly target?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly platform?: string | undefined;
  readonly noCache?: boolean | undefined;
  /** Stages that are not taken from the cache. */
  readonly noCacheFilter?: readonly string[] | undefined;
  /** Asks the registry even where the base image is here. */
  readonly pull?: boolean | undefined;
  readonly network?: string | undefined;
  /** `name:address` each. */
  readonly extraHosts?: readonly string[] | undefined;
  readonly shmSize?: number | undefined; // bytes
  readonly ulimits?: readonly Ulimit[] | undefined;
  readonly secrets?: readonly Secret[] | undefined;
  /** Sockets of SSH agents. */
  readonly ssh?: readonly { readonly id: string; readonly socket: string }[] | undefined;
  /** Secrets and agents of a client that is asked for each when a step needs it. */
  readonly findSecret?: ((id: string) => Promise<Secret | undefined>) | undefined;
  readonly findAgent?: ((id: string) => Promise<string | undefined>) | undefined;
  /** Name → directory, `docker-image://…` or `target:…`. */
  readonly contexts?: Readonly<Record<string, string>> | undefined;
  /** `security.insecure`, `network.host` */
  readonly entitlements?: readonly string[] | undefined;
  /** Where the result goes; default: an image of the store. */
  readonly outputs?: readonly Output[] | undefined;
  readonly attest?: Attest | undefined;
  /** Where results of steps are written to, and looked for. */
  readonly cacheTo?: readonly CacheTo[] | undefined;
  readonly cacheFrom?: readonly CacheFrom[] | undefined;
  /** Makes an image of what a failing RUN left, to look around in; the failure names it. */
  readonly keepFailed?: boolean | undefined;
  /** Only finds what is wrong with the Dockerfile. */
  readonly check?: boolean | undefined;
  /** Tells for each step that is not cached what changed. */
  readonly explain?: boolean | undefined;
  readonly auth?:
    | ((registry: string) => RegistryAuth | undefined | Promise<RegistryAuth | undefined>)
    | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Secret {
  readonly id: string;
  /** A file of this machine, or the value itself. */
  readonly file?: string | undefined;
  readonly value?: Uint8Array | undefined;
}

export interface StepInfo {
  readonly id: number; // from 1, in the order of starting
  readonly title: string; // "[web 2/5] COPY . ."
  readonly stage: string;
  readonly line: number; // of the Dockerfile
  /** Its place in the instructions that the event "plan" lists. */
  readonly instruction: number;
}

export type BuildEvent =
  /** Every instruction that is needed, stage by stage, before the first step. */
  | {
      readonly kind: "plan";
      readonly instructions: readonly { readonly text: string; readonly stage: string }[];
    }
  | {
      readonly kind: "step";
      readonly step: StepInfo;
      readonly state: "start" | "cached" | "done" | "error";
      readonly ms: number; // since its start
      /** For "start": why the cache has no result, where that was asked. */
      readonly reasons?: readonly string[];
      /** For "cached" and "done": what later steps hang on. */
      readonly result?: string;
    }
  | {
      readonly kind: "log";
      readonly step: StepInfo;
      readonly stream: "stdout" | "stderr";
      readonly data: Uint8Array;
    }
  | { readonly kind: "status"; readonly text: string }
  | { readonly kind: "warning"; readonly warning: Warning };

export type BuildProgress = (event: BuildEvent) => void;

export interface BuildResult {
  /** "" for a check, and where no output is an image. */
  readonly imageId: string;
  /** Of what was pushed or written as an OCI layout: its manifest, or the index with attestations. */
  readonly digest?: string | undefined;
  readonly warnings: readonly Warning[];
}
