import type { ContainerInfo, Port } from "dockerode";
import type { EngineClient } from "../client/client.ts";
import { buildGraph } from "../graph/graph.ts";
import { checkServices } from "../graph/walk.ts";
import { LABEL, projectFilter } from "../labels.ts";
import type { ProjectSource } from "../model/types.ts";
import { lastLines } from "../reconcile/lastwords.ts";
import { readContainer } from "../reconcile/observe.ts";
import { signalOf } from "../reconcile/signals.ts";
import { loadOrRecall } from "./project.ts";

export interface PsOptions {
  readonly services: readonly string[];
  readonly all: boolean; // stopped ones too
  readonly status: readonly string[]; // states to show; empty: by `all`
  readonly orphans: boolean;
  readonly wholeIds: boolean; // 64 digits instead of 12
}

/** A container in the shape that `docker compose ps --format json` prints. */
export interface PsRow {
  readonly ID: string;
  readonly Name: string;
  readonly Names: string;
  readonly Project: string;
  readonly Service: string;
  readonly Image: string;
  readonly Command: string;
  readonly State: string;
  readonly Status: string;
  readonly Health: string;
  readonly ExitCode: number;
  readonly CreatedAt: string;
  readonly RunningFor: string;
  readonly Ports: string;
  readonly Publishers: readonly Publisher[];
  readonly Networks: string;
  readonly Mounts: string;
  readonly LocalVolumes: string;
  readonly Labels: string;
  readonly Size: string;
  /** Ours: why it does not run or is not healthy, in a few words. */
  readonly Why: string;
}

export interface Publisher {
  readonly URL: string;
  readonly TargetPort: number;
  readonly PublishedPort: number;
  readonly Protocol: string;
}

export async function ps(
  source: ProjectSource,
  options: PsOptions,
  engine: EngineClient,
): Promise<readonly PsRow[]> {
  const project = await loadOrRecall(source, engine);
  const graph = buildGraph(project);
  checkServices(graph, options.services);
  const found = await engine.listContainers({ all: true, filters: projectFilter(project.name) });
  const known = (service: string): boolean =>
    service in project.services || service in project.disabledServices;
  const shown = found.filter(({ Labels: labels, State }) => {
    const service = labels[LABEL.service] ?? "";
    if (options.services.length > 0 && !options.services.includes(service)) return false;
    if (!options.orphans && !known(service)) return false;
    if (options.status.length > 0) return options.status.includes(State);
    return options.all || State === "running" || State === "paused" || State === "restarting";
  });
  const rows = await Promise.all(
    shown.map(async (info) => ({
      ...rowOf(info),
      ...(options.wholeIds && { ID: info.Id }),
      Why: await reasonOf(info, engine),
    })),
  );
  return rows.sort((a, b) => (a.Name < b.Name ? -1 : 1));
}

/** Only what is not well is looked at: for the others there is nothing to explain. */
async function reasonOf(info: ContainerInfo, engine: EngineClient): Promise<string> {
  const { exitCode, health, state } = readContainer(info);
  const failed = state === "dead" || state === "restarting" || (exitCode !== undefined && exitCode !== 0);
  if (!failed && health !== "unhealthy") return "";
  const container = await engine.inspectContainer(info.Id);
  const { State, HostConfig } = container;
  const probe = State.Health?.Log?.at(-1)?.Output.trim().split("\n").at(-1);
  if (health === "unhealthy") return probe ? `probe: ${probe}` : "";
  const limit = HostConfig.Memory ? `, limit ${Math.round(HostConfig.Memory / 2 ** 20)} MiB` : "";
  if (State.OOMKilled) return `out of memory${limit}`;
  const [said] = await lastLines(container, engine, 1);
  return State.Error || signalOf(State.ExitCode) || (said ? `said: ${said.slice(0, 60)}` : "");
}

function rowOf(info: ContainerInfo): PsRow {
  const { name, exitCode, health, service } = readContainer(info);
  const mounts = info.Mounts ?? [];
  return {
    ID: info.Id.slice(0, 12),
    Name: name,
    Names: name,
    Project: info.Labels[LABEL.project] ?? "",
    Service: service,
    Image: info.Image,
    Command: JSON.stringify(info.Command),
    State: info.State,
    Status: info.Status,
    Health: health ?? "",
    ExitCode: exitCode ?? 0,
    CreatedAt: new Date(info.Created * 1000).toISOString(),
    RunningFor: `${ago(Date.now() / 1000 - info.Created)} ago`,
    Ports: portsText(info.Ports),
    Publishers: info.Ports.map(({ IP, PrivatePort, PublicPort, Type }) => ({
      URL: IP ?? "",
      TargetPort: PrivatePort,
      PublishedPort: PublicPort ?? 0,
      Protocol: Type,
    })),
    Networks: Object.keys(info.NetworkSettings?.Networks ?? {}).join(","),
    Mounts: mounts.map(({ Name, Source }) => Name || Source).join(","),
    LocalVolumes: String(mounts.filter(({ Driver }) => Driver === "local").length),
    Labels: Object.entries(info.Labels)
      .filter(([key]) => key !== LABEL.definition)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    Size: "0B",
    Why: "",
  };
}

/** `0.0.0.0:8080->80/tcp, 443/tcp`; the same port on IPv4 and IPv6 is said once. */
export function portsText(ports: readonly Port[]): string {
  const texts = ports
    .toSorted((a, b) => a.PrivatePort - b.PrivatePort)
    .map(({ IP, PrivatePort, PublicPort, Type }) => {
      const address = IP === "::" ? "0.0.0.0" : IP?.includes(":") ? `[${IP}]` : IP;
      return PublicPort
        ? `${address ?? "0.0.0.0"}:${PublicPort}->${PrivatePort}/${Type}`
        : `${PrivatePort}/${Type}`;
    });
  return [...new Set(texts)].join(", ");
}

/** `5 seconds`, `2 hours`: the largest unit alone. */
export function ago(seconds: number): string {
  for (const [unit, length] of [
    ["week", 604800],
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ] as const) {
    const count = Math.floor(seconds / length);
    if (count > 0) return `${count} ${unit}${count === 1 ? "" : "s"}`;
  }
  const whole = Math.max(0, Math.floor(seconds));
  return `${whole} second${whole === 1 ? "" : "s"}`;
}
