/**
 * A service of the model as the body of `POST /containers/create`. Pure: what has to be looked up (image ids, digests)
 * comes in.
 */
import type { CreateContainerOptions } from "../../client/types/containers.ts";
import { COMPOSE_VERSION, LABEL } from "../../labels.ts";
import type { Healthcheck, Project, Service } from "../../model/types.ts";
import { parseDuration } from "../../model/units.ts";
import { type Canonical, digest } from "../canonical.ts";
import { imageOf } from "../names.ts";
import { endpoints } from "./endpoints.ts";
import { hostConfig } from "./host.ts";

export interface BodyInput {
  readonly project: Project;
  readonly service: Service;
  readonly number: number; // from 1
  readonly name: string; // of the container, as it will stay
  readonly image: string | undefined; // its id
  readonly definition: Canonical;
  /** Anonymous volumes to take over, by target. */
  readonly carried: Readonly<Record<string, string>>;
}

type Body = CreateContainerOptions;

export function containerBody(input: BodyInput): Body {
  const { project, service } = input;
  const ports = (service.ports ?? []).map(({ target, protocol }) => `${target}/${protocol ?? "tcp"}`);
  const exposed = [...ports, ...(service.expose ?? []).flatMap(exposedPorts)];
  return dropUndefined({
    Image: imageOf(project, service),
    Labels: { ...service.labels, ...composeLabels(input) },
    Hostname: service.hostname,
    Domainname: service.domainname,
    User: service.user,
    WorkingDir: service.working_dir,
    Tty: service.tty,
    OpenStdin: service.stdin_open,
    Cmd: service.command && [...service.command],
    Entrypoint: service.entrypoint && [...service.entrypoint],
    Env: environmentList(service.environment),
    ExposedPorts: exposed.length > 0 ? Object.fromEntries(exposed.map((port) => [port, {}])) : undefined,
    Healthcheck: service.healthcheck && healthConfig(service.healthcheck),
    StopSignal: service.stop_signal,
    StopTimeout: service.stop_grace_period ? graceSeconds(service.stop_grace_period) : undefined,
    HostConfig: dropUndefined(hostConfig(input)),
    NetworkingConfig: service.network_mode ? undefined : { EndpointsConfig: endpoints(input) },
  });
}

/** `KEY=value` lines; what has no value is left out. */
export function environmentList(environment: Service["environment"]): string[] {
  return Object.entries(environment ?? {}).flatMap(([key, value]) =>
    value === null ? [] : [`${key}=${value}`],
  );
}

/** Whole seconds, rounded up: the engine knows no parts. */
export function graceSeconds(duration: string): number {
  return Math.ceil(parseDuration(duration) / 1e9);
}

export function composeLabels(input: BodyInput): Record<string, string> {
  const { project, service, number, image, definition } = input;
  const dependsOn = Object.entries(service.depends_on ?? {}).map(
    ([name, { condition, restart }]) => `${name}:${condition}:${restart ?? false}`,
  );
  return {
    [LABEL.project]: project.name,
    [LABEL.service]: service.name,
    [LABEL.number]: String(number),
    [LABEL.oneoff]: "False",
    [LABEL.configHash]: digest(definition),
    [LABEL.image]: image ?? "",
    [LABEL.dependsOn]: dependsOn.join(","),
    [LABEL.configFiles]: project.files.join(","),
    [LABEL.workingDir]: project.workingDir,
    ...(project.envFiles.length > 0 && { [LABEL.environmentFile]: project.envFiles.join(",") }),
    [LABEL.version]: COMPOSE_VERSION,
    [LABEL.definition]: JSON.stringify(definition),
  };
}

function healthConfig(check: Healthcheck): Body["Healthcheck"] {
  if (check.disable) return { Test: ["NONE"] };
  const time = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : parseDuration(text);
  return dropUndefined({
    Test: check.test && [...check.test],
    Interval: time(check.interval),
    Timeout: time(check.timeout),
    StartPeriod: time(check.start_period),
    StartInterval: time(check.start_interval),
    Retries: check.retries,
  });
}

/** `80`, `80/udp` or `80-82/tcp`. */
function exposedPorts(text: string): string[] {
  const [, from, to, protocol] = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(text) ?? [];
  if (from === undefined) return [];
  const count = to === undefined ? 1 : Number(to) - Number(from) + 1;
  return Array.from({ length: count }, (_, index) => `${Number(from) + index}/${protocol ?? "tcp"}`);
}

export function dropUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}
