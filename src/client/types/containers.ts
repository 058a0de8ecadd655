/** Containers, but for their streams and files. */
import type Dockerode from "dockerode";
import type { Abortable, Filters, TerminalSize } from "./common.ts";

export interface ContainerCalls {
  listContainers(options?: ListContainersOptions): Promise<Dockerode.ContainerInfo[]>;
  /** @throws {EngineFailure} status 404, if there is none */
  inspectContainer(id: string, options?: { readonly size?: boolean }): Promise<ContainerInspect>;
  createContainer(
    options: CreateContainerOptions,
  ): Promise<{ readonly Id: string; readonly Warnings: string[] }>;
  /** Nothing happens where it already runs. */
  startContainer(id: string, options?: { readonly detachKeys?: string }): Promise<void>;
  /** Nothing happens where it does not run. `timeout` is in seconds; -1 waits for ever. */
  stopContainer(id: string, options?: StopOptions): Promise<void>;
  restartContainer(id: string, options?: StopOptions): Promise<void>;
  killContainer(id: string, options?: { readonly signal?: string }): Promise<void>;
  pauseContainer(id: string): Promise<void>;
  unpauseContainer(id: string): Promise<void>;
  renameContainer(id: string, name: string): Promise<void>;
  updateContainer(id: string, change: object): Promise<{ readonly Warnings: string[] | null }>;
  removeContainer(id: string, options?: RemoveContainerOptions): Promise<void>;
  /** Resolves when the container has come to that state. */
  waitContainer(id: string, options?: WaitOptions): Promise<WaitResult>;
  /** Sends the request, and resolves once the engine watches: then a start cannot be missed. */
  beginWait(id: string, options?: WaitOptions): Promise<{ readonly result: Promise<WaitResult> }>;
  resizeContainer(id: string, size: TerminalSize): Promise<void>;
  topContainer(
    id: string,
    psArgs?: string,
  ): Promise<{ readonly Titles: string[]; readonly Processes: string[][] }>;
  containerChanges(id: string): Promise<{ readonly Path: string; readonly Kind: 0 | 1 | 2 }[]>;
  /** One sample a second until `signal`; one sample only, if `stream` is false. */
  stats(
    id: string,
    options?: Abortable & { readonly stream?: boolean },
  ): AsyncIterable<Dockerode.ContainerStats>;
  commitContainer(id: string, options: CommitOptions): Promise<{ readonly Id: string }>;
  pruneContainers(filters?: Filters): Promise<Dockerode.PruneContainersInfo>;
}

export interface ListContainersOptions {
  readonly all?: boolean;
  readonly limit?: number;
  readonly size?: boolean;
  readonly filters?: Filters;
}

/** dockerode's type lacks what newer engines answer. */
export type ContainerInspect = Dockerode.ContainerInspectInfo & {
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
};

export type CreateContainerOptions = Dockerode.ContainerCreateOptions;

export interface StopOptions {
  /** Seconds until SIGKILL; -1 waits for ever; absent: the container's own, else 10. */
  readonly timeout?: number;
  readonly signal?: string;
}

export interface RemoveContainerOptions {
  readonly force?: boolean;
  /** Its anonymous volumes too. */
  readonly volumes?: boolean;
}

export interface WaitOptions extends Abortable {
  readonly condition?: "not-running" | "next-exit" | "removed";
}

export interface WaitResult {
  readonly StatusCode: number;
  readonly Error?: { readonly Message: string } | null;
}

export interface CommitOptions {
  readonly repo?: string;
  readonly tag?: string;
  readonly comment?: string;
  readonly author?: string;
  readonly changes?: readonly string[];
  readonly pause?: boolean;
}
