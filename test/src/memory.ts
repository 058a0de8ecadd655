import type { ContainerInfo, NetworkCreateOptions, VolumeCreateOptions } from "dockerode";
import type { EngineClient } from "../../src/client/client.ts";
import { EngineFailure } from "../../src/client/failures.ts";
import type { CreateContainerOptions } from "../../src/client/types/containers.ts";
import type { EngineEvent } from "../../src/client/types/system.ts";
import { fakeEngine } from "./engine.ts";

interface Stored {
  readonly id: string;
  name: string;
  readonly body: CreateContainerOptions;
  state: "created" | "running" | "exited";
  exitCode: number;
}

/** How a container of a service behaves once it is started; nothing is "runs on, without a probe". */
export interface Behaviour {
  readonly exits?: number;
  readonly health?: "healthy" | "unhealthy";
}

/**
 * An engine in memory: containers, networks and volumes that can be made and removed, started and stopped, and whose
 * changes come as events. Every call that changes something is in `calls`.
 */
export function memoryEngine(behaviours: Readonly<Record<string, Behaviour>> = {}): {
  readonly engine: EngineClient;
  readonly calls: string[];
} {
  const containers = new Map<string, Stored>();
  const networks = new Map<string, NetworkCreateOptions>();
  const volumes = new Map<string, VolumeCreateOptions>();
  const calls: string[] = [];
  const listeners = new Set<(event: EngineEvent) => void>();
  let count = 0;

  const find = (id: string): Stored => {
    const found = containers.get(id) ?? [...containers.values()].find(({ name }) => name === id);
    if (!found) throw new EngineFailure(404, "ENGINE_FAILED", `No such container: ${id}`);
    return found;
  };
  const behaviourOf = ({ body }: Stored): Behaviour =>
    behaviours[body.Labels?.["com.docker.compose.service"] ?? ""] ?? {};
  const emit = (stored: Stored, Action: string): void => {
    const event = {
      Type: "container",
      Action,
      Actor: { ID: stored.id, Attributes: stored.body.Labels ?? {} },
    };
    for (const listener of listeners) listener(event as unknown as EngineEvent);
  };
  const list = (stored: Stored): ContainerInfo => {
    const { health } = behaviourOf(stored);
    const up = health ? `Up 1 second (${health})` : "Up 1 second";
    return {
      Id: stored.id,
      Names: [`/${stored.name}`],
      Labels: stored.body.Labels ?? {},
      State: stored.state,
      Status: stored.state === "running" ? up : `Exited (${stored.exitCode}) 1 second ago`,
      ImageID: "sha256:b1",
      Ports: [],
      Mounts: [],
      NetworkSettings: {
        Networks: Object.fromEntries(
          Object.keys(stored.body.NetworkingConfig?.EndpointsConfig ?? {}).map((name) => [name, {}]),
        ),
      },
    } as unknown as ContainerInfo;
  };

  const engine = fakeEngine({
    address: "unix:///test",
    listContainers: async ({ filters } = {}) => {
      const wanted = (filters?.["label"] ?? []).map((text) => text.split("=") as [string, string?]);
      return [...containers.values()]
        .filter(({ body }) =>
          wanted.every(([key, value]) =>
            value === undefined ? key in (body.Labels ?? {}) : body.Labels?.[key] === value,
          ),
        )
        .map(list);
    },
    inspectContainer: async (id) => {
      const stored = find(id);
      const { health } = behaviourOf(stored);
      const Health = health
        ? { Status: health, FailingStreak: 3, Log: [{ ExitCode: 1, Output: "no" }] }
        : undefined;
      return {
        Id: stored.id,
        State: { Status: stored.state, ExitCode: stored.exitCode, Health },
        Config: {},
      } as never;
    },
    createContainer: async ({ name = "", ...body }) => {
      calls.push(`create ${name.replace(/^[0-9a-f]{12}_/, "…_")}`);
      const stored: Stored = {
        id: `${++count}`.padStart(64, "0"),
        name,
        body,
        state: "created",
        exitCode: 0,
      };
      containers.set(stored.id, stored);
      return { Id: stored.id, Warnings: [] };
    },
    startContainer: async (id) => {
      const stored = find(id);
      calls.push(`start ${stored.name}`);
      const { exits } = behaviourOf(stored);
      stored.state = exits === undefined ? "running" : "exited";
      stored.exitCode = exits ?? 0;
      emit(stored, "start");
    },
    stopContainer: async (id) => {
      const stored = find(id);
      calls.push(`stop ${stored.name}`);
      stored.state = "exited";
      emit(stored, "die");
    },
    removeContainer: async (id) => {
      calls.push(`remove ${find(id).name}`);
      containers.delete(find(id).id);
    },
    renameContainer: async (id, name) => {
      calls.push(`rename to ${name}`);
      find(id).name = name;
    },
    listNetworks: async () => [...networks.values()].map((given) => ({ ...given, Id: given.Name })) as never,
    createNetwork: async (options) => {
      calls.push(`network ${options.Name}`);
      networks.set(options.Name, options);
      return { Id: options.Name, Warning: "" };
    },
    removeNetwork: async (name) => {
      calls.push(`remove network ${name}`);
      networks.delete(name);
    },
    listVolumes: async () => [...volumes.values()] as never,
    createVolume: async (options) => {
      calls.push(`volume ${options.Name}`);
      volumes.set(options.Name!, options);
      return {} as never;
    },
    removeVolume: async (name) => {
      calls.push(`remove volume ${name}`);
      volumes.delete(name);
    },
    inspectImage: async () => ({ Id: "sha256:b1" }) as never,
    async *logs() {
      yield { stream: "stdout" as const, data: Buffer.from("2026-01-01T00:00:00Z its last words\n") };
    },
    events: async ({ signal } = {}) => {
      const queue: EngineEvent[] = [];
      let wake = (): void => {};
      listeners.add((event) => {
        queue.push(event);
        wake();
      });
      signal?.addEventListener("abort", () => wake());
      return (async function* () {
        while (!signal?.aborted) {
          yield* queue.splice(0);
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      })();
    },
  });
  return { engine, calls };
}
