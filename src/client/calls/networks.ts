import { segment, type Transport } from "../transport.ts";
import type { NetworkCalls, VolumeCalls } from "../types/networks.ts";

export function networkCalls(engine: Transport): NetworkCalls {
  const at = (id: string, what = ""): string => `/networks/${segment(id)}${what}`;
  return {
    listNetworks: (filters) => engine.json("GET", "/networks", { filters }),
    inspectNetwork: (id) => engine.json("GET", at(id)),
    createNetwork: ({ abortSignal: _, ...json }) => engine.json("POST", "/networks/create", { json }),
    removeNetwork: (id) => engine.done("DELETE", at(id)),
    connectNetwork: (id, json) => engine.done("POST", at(id, "/connect"), { json }),
    disconnectNetwork: (id, json) => engine.done("POST", at(id, "/disconnect"), { json }),
    pruneNetworks: (filters) => engine.json("POST", "/networks/prune", { filters }),
  };
}

export function volumeCalls(engine: Transport): VolumeCalls {
  const at = (name: string): string => `/volumes/${segment(name)}`;
  return {
    async listVolumes(filters) {
      type Answer = { readonly Volumes: Awaited<ReturnType<VolumeCalls["listVolumes"]>> | null };
      return (await engine.json<Answer>("GET", "/volumes", { filters })).Volumes ?? [];
    },
    inspectVolume: (name) => engine.json("GET", at(name)),
    createVolume: ({ abortSignal: _, ...json }) => engine.json("POST", "/volumes/create", { json }),
    removeVolume: (name, { force } = {}) => engine.done("DELETE", at(name), { query: { force } }),
    pruneVolumes: (filters) => engine.json("POST", "/volumes/prune", { filters }),
  };
}
