import type { Canonical } from "./canonical.ts";

export type ContainerState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
export type Health = "starting" | "healthy" | "unhealthy";

/** A container of the project as the engine has it now. */
export interface ObservedContainer {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  readonly number: number;
  readonly oneoff: boolean;
  readonly state: ContainerState;
  readonly health: Health | undefined; // undefined: it has no probe
  readonly exitCode: number | undefined; // undefined unless it has exited
  readonly image: string; // id of the image it was made from
  readonly definition: Canonical | undefined; // undefined: another tool made it
  readonly networks: readonly string[]; // names
  readonly anonymous: Readonly<Record<string, string>>; // volumes without a name of their own, by target
}

export interface ObservedNetwork {
  readonly id: string;
  readonly name: string;
  readonly key: string | undefined; // its name in the project's file, where this or Compose made it
  readonly project: string | undefined;
  readonly definition: Canonical | undefined;
}

export interface ObservedVolume {
  readonly name: string;
  readonly key: string | undefined;
  readonly project: string | undefined;
  readonly definition: Canonical | undefined;
}

/** What is there before anything is done: all that planning may know besides the project. */
export interface Observed {
  readonly containers: readonly ObservedContainer[]; // of this project, by number ascending
  readonly networks: readonly ObservedNetwork[]; // all of the engine
  readonly volumes: readonly ObservedVolume[];
  readonly images: Readonly<Record<string, string | undefined>>; // name → id
  readonly contents: Readonly<Record<string, string>>; // digests of secrets and configs
}
