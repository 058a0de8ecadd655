import { untilAborted } from "../frames.ts";
import { jsonLines } from "../progress.ts";
import type { Transport } from "../transport.ts";
import type { DiskUsage, EngineEvent, EngineInfo, EngineVersion, SystemCalls } from "../types/system.ts";

export function systemCalls(engine: Transport): SystemCalls {
  let features: Promise<ReadonlySet<string>> | undefined;
  const version = (): Promise<EngineVersion> => engine.json("GET", "/version");
  return {
    ping: () => engine.done("GET", "/_ping"),
    version,
    info: () => engine.json<EngineInfo>("GET", "/info"),
    diskUsage: () => engine.json<DiskUsage>("GET", "/system/df"),
    auth: (login) => engine.json("POST", "/auth", { json: login }),
    async events({ since, until, filters, signal } = {}) {
      const response = await engine.open("GET", "/events", { query: { since, until }, filters, signal });
      return untilAborted(jsonLines<EngineEvent>(response), signal);
    },
    slipwayFeatures() {
      features ??= version().then(featuresOf);
      return features;
    },
    slipwayGet: (path) => engine.json("GET", `/slipway/v1${path}`),
    slipwayPost: (path) => engine.json("POST", `/slipway/v1${path}`),
  };
}

function featuresOf(version: EngineVersion): ReadonlySet<string> {
  const ours = version.Components?.find(({ Name }) => Name === "Slipway");
  return new Set((ours?.Details?.["Features"] ?? "").split(",").filter((name) => name !== ""));
}
