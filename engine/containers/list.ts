/** GET /containers/json: which containers, and one line of each. */
import { EngineError } from "../errors.ts";
import type { Filters } from "../filters.ts";
import type { Container } from "./container.ts";
import { mountPoints, networksShape } from "./inspect.ts";
import { nowNs, parseTime } from "./time.ts";
import type { Tools } from "./tools.ts";
import type { ContainerRecord } from "./types.ts";

export interface ListOptions {
  /** Also those that do not run. */
  readonly all: boolean;
  /** The newest ones, running or not; 0 and less is no limit. */
  readonly limit: number;
  readonly filters: Filters;
}

const FILTERS = [
  "ancestor",
  "before",
  "exited",
  "expose",
  "health",
  "id",
  "is-task",
  "isolation",
  "label",
  "label!",
  "name",
  "network",
  "publish",
  "since",
  "status",
  "volume",
] as const;

const STATES = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];

/** Newest first. @throws {EngineError} invalid for a filter or value that nobody knows */
export function listContainers(tools: Tools, options: ListOptions): readonly Container[] {
  const { filters } = options;
  filters.accept(...FILTERS);
  checkValues(filters);
  const everything = options.all || options.limit > 0 || filters.has("status") || filters.has("exited");
  const newest = tools.registry.all().toReversed();
  const chosen = newest
    .filter((container) => everything || container.isRunning)
    .filter((container) => matches(tools, container, filters, newest));
  return options.limit > 0 ? chosen.slice(0, options.limit) : chosen;
}

const HEALTHS = ["none", "starting", "healthy", "unhealthy"];

function checkValues(filters: Filters): void {
  const refuse = (reason: string): never => {
    throw new EngineError("invalid", reason);
  };
  for (const state of filters.values("status")) {
    if (!STATES.includes(state)) refuse(`invalid filter 'status=${state}'`);
  }
  for (const code of filters.values("exited")) {
    if (/^-?\d+$/.test(code)) continue;
    refuse(`invalid filter 'exited=${code}': strconv.Atoi: parsing ${JSON.stringify(code)}: invalid syntax`);
  }
  for (const health of filters.values("health")) {
    if (!HEALTHS.includes(health)) refuse(`unrecognized filter value for health: ${health}`);
  }
  for (const name of ["publish", "expose"] as const) {
    for (const value of filters.values(name)) {
      if (/^\d+(-\d+)?(\/(tcp|udp|sctp))?$/.test(value)) continue;
      const number = `strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax`;
      refuse(`error while looking up for ${name} ${value}: ${number}`);
    }
  }
  filters.bool("is-task");
}

/** One entry of the list, in the wire's shape. */
export function listEntry(tools: Tools, container: Container) {
  const { record } = container;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: imageName(tools, record),
    ImageID: record.imageId,
    Command: [record.path, ...record.args].map(quoted).join(" "),
    Created: Number(parseTime(record.created) / 1_000_000_000n),
    Ports: ports(tools, container),
    Labels: record.config.Labels ?? {},
    State: record.state.status,
    Status: statusText(container),
    HostConfig: { NetworkMode: record.hostConfig.NetworkMode ?? "" },
    NetworkSettings: { Networks: networksShape(tools, container) },
    Mounts: mountPoints(record.mounts),
  };
}

/** As it was asked for; the id where that name is another image's by now, or nobody's. */
function imageName(tools: Tools, { config, imageId }: ContainerRecord): string {
  const asked = config.Image ?? "";
  return tools.images.resolve(asked)?.id === imageId ? asked : imageId;
}

/** `Up 3 seconds (healthy)`, `Exited (1) 2 minutes ago`: what `docker ps` prints. */
export function statusText(container: Container, now: bigint = nowNs()): string {
  const { state } = container.record;
  const since = (time: string): string => humanDuration(Number((now - parseTime(time)) / 1_000_000n) / 1000);
  switch (state.status) {
    case "created":
      return "Created";
    case "running": {
      const health = state.health === undefined ? "" : ` (${healthText(state.health.status)})`;
      return `Up ${since(state.startedAt)}${health}`;
    }
    case "paused":
      return `Up ${since(state.startedAt)} (Paused)`;
    case "restarting":
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "exited":
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
  }
}

/** As docker/go-units has it: one unit, rounded down, with a word for the small ones. */
export function humanDuration(seconds: number): string {
  const minutes = seconds / 60;
  const hours = Math.floor(seconds / 3600 + 0.5);
  if (seconds < 1) return "Less than a second";
  if (Math.floor(seconds) === 1) return "1 second";
  if (seconds < 60) return `${Math.floor(seconds)} seconds`;
  if (Math.floor(minutes) === 1) return "About a minute";
  if (minutes < 60) return `${Math.floor(minutes)} minutes`;
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}

function healthText(status: string): string {
  return status === "starting" ? "health: starting" : status;
}

function quoted(word: string): string {
  return word.includes(" ") ? `'${word}'` : word;
}

function ports(tools: Tools, container: Container): readonly object[] {
  const live = tools.networks.live(container.id);
  return Object.entries(live?.ports ?? {}).flatMap(([key, bindings]) => {
    const [port = "", Type = "tcp"] = key.split("/");
    const PrivatePort = Number(port);
    if (bindings === null || bindings.length === 0) return [{ PrivatePort, Type }];
    return bindings.map(({ HostIp, HostPort }) => ({
      IP: HostIp,
      PrivatePort,
      PublicPort: Number(HostPort),
      Type,
    }));
  });
}

function matches(
  tools: Tools,
  container: Container,
  filters: Filters,
  newest: readonly Container[],
): boolean {
  const { record } = container;
  const { state, config } = record;
  const byId = filters.values("id");
  const names = filters.values("name");
  return (
    (byId.length === 0 || byId.some((prefix) => record.id.startsWith(prefix))) &&
    (names.length === 0 || filters.match("name", record.name) || filters.match("name", `/${record.name}`)) &&
    filters.labels(config.Labels) &&
    // Tasks are of a swarm, which this engine has none of.
    filters.bool("is-task") !== true &&
    filters.exact("status", state.status) &&
    filters.exact("health", state.health?.status ?? "none") &&
    filters.exact("exited", state.status === "exited" ? String(state.exitCode) : "") &&
    ancestor(tools, container, filters.values("ancestor")) &&
    volume(container, filters.values("volume")) &&
    network(tools, container, filters.values("network")) &&
    port(Object.keys(config.ExposedPorts ?? {}), filters.values("expose")) &&
    port(publishedPorts(tools, container), filters.values("publish")) &&
    beside(tools, container, filters, newest)
  );
}

function ancestor(tools: Tools, container: Container, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  const { record } = container;
  return wanted.some((reference) => {
    const image = tools.images.resolve(reference);
    if (image === undefined) return record.config.Image === reference;
    // An image made from another begins with its layers.
    return (
      image.id === record.imageId || image.layers.every((layer, index) => record.layers[index] === layer)
    );
  });
}

function volume(container: Container, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  return container.record.mounts.some(
    ({ Name, Source, Destination }) =>
      wanted.includes(Destination) ||
      wanted.includes(Source) ||
      (Name !== undefined && wanted.includes(Name)),
  );
}

function network(tools: Tools, container: Container, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  const networks = networksShape(tools, container);
  return Object.entries(networks).some(
    ([name, endpoint]) =>
      wanted.includes(name) || wanted.some((prefix) => String(endpoint["NetworkID"]).startsWith(prefix)),
  );
}

/** The machine's ports by which a running container is reached, as `port/protocol`. */
function publishedPorts(tools: Tools, { id }: Container): readonly string[] {
  return Object.entries(tools.networks.live(id)?.ports ?? {}).flatMap(([key, bindings]) => {
    const [, protocol = "tcp"] = key.split("/");
    return (bindings ?? []).map(({ HostPort }) => `${HostPort}/${protocol}`);
  });
}

/** `80`, `80/udp`, `8000-8010/tcp`. */
function port(held: readonly string[], wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  return wanted.some((text) => {
    const [range = "", protocol = "tcp"] = text.split("/");
    const [from = 0, to = from] = range.split("-").map(Number);
    return held.some((key) => {
      const [number = "", kind = "tcp"] = key.split("/");
      return kind === protocol && Number(number) >= from && Number(number) <= to;
    });
  });
}

/** `before` and `since` name another container. */
function beside(tools: Tools, container: Container, filters: Filters, newest: readonly Container[]): boolean {
  const at = newest.indexOf(container);
  const [before] = filters.values("before");
  const [since] = filters.values("since");
  if (before !== undefined && at <= newest.indexOf(tools.registry.find(before))) return false;
  return since === undefined || at < newest.indexOf(tools.registry.find(since));
}
