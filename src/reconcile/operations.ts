/**
 * What can be done to the engine, as data. A plan is a list of steps, each one operation with the steps it waits for:
 * planning is pure and printable, applying decides nothing.
 */
import type { Condition } from "../graph/graph.ts";

/** A container as a person and the engine name it. */
export interface ContainerTarget {
  readonly service: string;
  readonly number: number; // from 1
  readonly container: string; // name or id that the engine knows at that step
}

/** Each operation is one Engine API call and carries all that the call needs; `await…` listens to the engine's events. */
export interface Operations {
  createNetwork: { readonly network: string; readonly name: string };
  removeNetwork: { readonly name: string };
  createVolume: { readonly volume: string; readonly name: string };
  removeVolume: { readonly name: string };
  removeImage: { readonly image: string };
  createContainer: ContainerTarget & {
    /** As it will be called in the end; `container` is what it is called while the one it replaces is still there. */
    readonly name: string;
    /** Anonymous volumes of the container it replaces, by target. */
    readonly carried: Readonly<Record<string, string>>;
  };
  putFiles: ContainerTarget;
  renameContainer: ContainerTarget & { readonly name: string };
  startContainer: ContainerTarget;
  /** One step of `pre_start`, in a container of its own beside this one. */
  runInit: ContainerTarget & { readonly index: number };
  unpauseContainer: ContainerTarget;
  /** One hook of the service, by its place in the list. */
  runHook: ContainerTarget & { readonly when: "post_start" | "pre_stop"; readonly index: number };
  stopContainer: ContainerTarget & { readonly seconds?: number };
  removeContainer: ContainerTarget & { readonly volumes: boolean };
  /** Until it is ready; one that does not become so is taken away again. */
  awaitContainer: ContainerTarget;
  awaitService: { readonly service: string; readonly condition: Condition };
}

export type OperationKind = keyof Operations;

export type Operation = {
  [K in OperationKind]: { readonly kind: K; readonly why: string } & Operations[K];
}[OperationKind];

export type OperationOf<K extends OperationKind> = Extract<Operation, { kind: K }>;

export interface Step {
  readonly id: number; // from 1, in the order planned
  readonly after: readonly number[]; // ids of the steps that must be done first, all lower than its own
  readonly operation: Operation;
}

/** One way to do each operation; what it returns is said of the result, instead of the usual word. */
export type Executors = {
  readonly [K in OperationKind]: (operation: OperationOf<K>) => Promise<string | undefined>;
};

/** One value of a definition that is not what it was. */
export interface Change {
  readonly path: string; // `environment.LOG`
  readonly from: string | undefined; // undefined: it was not there
  readonly to: string | undefined;
}

/** What happens to a container, in a word. */
export type Verdict = "create" | "recreate" | "start" | "keep" | "remove" | "stop" | "restart";

/** The plan's sentence about one container, network or volume: what people read, where steps are what programs do. */
export interface Decision {
  readonly subject: "network" | "volume" | "container" | "image";
  readonly id: string; // `web-1`, `shop_default`
  readonly service?: string;
  readonly verdict: Verdict;
  readonly why: string;
  readonly changes: readonly Change[];
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly decisions: readonly Decision[];
  readonly warnings: readonly string[];
}
