/** Networks and volumes. */
import type Dockerode from "dockerode";
import type { Filters } from "./common.ts";

export interface NetworkCalls {
  listNetworks(filters?: Filters): Promise<Dockerode.NetworkInspectInfo[]>;
  /** @throws {EngineFailure} status 404, if there is none */
  inspectNetwork(id: string): Promise<Dockerode.NetworkInspectInfo>;
  createNetwork(
    options: Dockerode.NetworkCreateOptions,
  ): Promise<{ readonly Id: string; readonly Warning: string }>;
  removeNetwork(id: string): Promise<void>;
  connectNetwork(id: string, options: Dockerode.NetworkConnectOptions): Promise<void>;
  disconnectNetwork(
    id: string,
    options: { readonly Container: string; readonly Force?: boolean },
  ): Promise<void>;
  pruneNetworks(filters?: Filters): Promise<Dockerode.PruneNetworksInfo>;
}

export interface VolumeCalls {
  listVolumes(filters?: Filters): Promise<Dockerode.VolumeInspectInfo[]>;
  /** @throws {EngineFailure} status 404, if there is none */
  inspectVolume(name: string): Promise<Dockerode.VolumeInspectInfo>;
  createVolume(options: Dockerode.VolumeCreateOptions): Promise<Dockerode.VolumeCreateResponse>;
  removeVolume(name: string, options?: { readonly force?: boolean }): Promise<void>;
  pruneVolumes(filters?: Filters): Promise<Dockerode.PruneVolumesInfo>;
}
