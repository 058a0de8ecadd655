import { EngineError } from "../errors.ts";
import type { RunConfig } from "../images/types.ts";
import { checkedEnvironment, mergeEnvironment } from "./environment.ts";
import type { ContainerConfig, CreateRequest, HealthConfig } from "./types.ts";

/**
 * What the container is run with: the request, and the image's word where the request is silent.
 *
 * @see moby, runconfig and daemon/commit.go, merge
 */
export function mergeConfig(request: CreateRequest, image: RunConfig, id: string): ContainerConfig {
  const { HostConfig: _, NetworkingConfig: __, ...asked } = request;
  const entrypoint = list(asked.Entrypoint);
  const command = list(asked.Cmd);
  // An entrypoint of the request's takes the image's command away, which was made for the image's entrypoint.
  const ownEntrypoint = entrypoint !== undefined && entrypoint.length > 0;
  const inherited = ownEntrypoint || (command?.length ?? 0) > 0 ? command : (image.Cmd ?? undefined);
  // `--entrypoint ""` arrives as [""]: none, not the image's either.
  const reset = entrypoint?.length === 1 && entrypoint[0] === "";
  return {
    Hostname: asked.Hostname || id.slice(0, 12),
    Domainname: asked.Domainname ?? "",
    User: asked.User || (image.User ?? ""),
    AttachStdin: asked.AttachStdin ?? false,
    AttachStdout: asked.AttachStdout ?? false,
    AttachStderr: asked.AttachStderr ?? false,
    ...optional("ExposedPorts", merged(image.ExposedPorts, exposed(request))),
    Tty: asked.Tty ?? false,
    OpenStdin: asked.OpenStdin ?? false,
    StdinOnce: asked.StdinOnce ?? false,
    Env: mergeEnvironment(checkedEnvironment(asked.Env ?? []), image.Env ?? []),
    Cmd: inherited ?? null,
    ...optional("Healthcheck", mergeHealth(asked.Healthcheck ?? undefined, image.Healthcheck)),
    Image: asked.Image ?? "",
    Volumes: merged(image.Volumes, asked.Volumes) ?? null,
    WorkingDir: asked.WorkingDir || (image.WorkingDir ?? ""),
    Entrypoint: reset ? null : ownEntrypoint ? entrypoint : (image.Entrypoint ?? null),
    ...optional("NetworkDisabled", asked.NetworkDisabled || undefined),
    ...optional("MacAddress", asked.MacAddress || undefined),
    OnBuild: asked.OnBuild ?? null,
    Labels: { ...image.Labels, ...asked.Labels },
    ...optional("StopSignal", asked.StopSignal || image.StopSignal || undefined),
    ...optional("StopTimeout", asked.StopTimeout ?? image.StopTimeout),
    ...optional("Shell", asked.Shell ?? image.Shell ?? undefined),
  };
}

/**
 * The program and its arguments.
 *
 * @throws {EngineError} invalid, if neither the request nor the image names one
 */
export function commandOf(config: ContainerConfig): {
  readonly path: string;
  readonly args: readonly string[];
} {
  const [path, ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (path === undefined || path === "") throw new EngineError("invalid", "no command specified");
  return { path, args };
}

/** Docker's API takes a single string for a list of one. */
function list(value: readonly string[] | string | null | undefined): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  return value ?? undefined;
}

/** Ports that are published are exposed, too; a key without a protocol means tcp. */
function exposed(request: CreateRequest): Readonly<Record<string, object>> {
  const ports = [
    ...Object.keys(request.ExposedPorts ?? {}),
    ...Object.keys(request.HostConfig?.PortBindings ?? {}),
  ];
  return Object.fromEntries(ports.map((port) => [port.includes("/") ? port : `${port}/tcp`, {}]));
}

function merged(
  image: Readonly<Record<string, object>> | null | undefined,
  asked: Readonly<Record<string, object>> | null | undefined,
): Readonly<Record<string, object>> | undefined {
  const all = { ...image, ...asked };
  return Object.keys(all).length === 0 ? undefined : all;
}

function mergeHealth(
  asked: HealthConfig | undefined,
  image: HealthConfig | undefined,
): HealthConfig | undefined {
  if (asked === undefined || image === undefined) return asked ?? image;
  if (asked.Test !== undefined && asked.Test.length > 0) {
    return { ...withoutZeros(image), ...withoutZeros(asked), Test: asked.Test };
  }
  return { ...image, ...withoutZeros(asked), ...optional("Test", image.Test) };
}

function withoutZeros(health: HealthConfig): HealthConfig {
  return Object.fromEntries(Object.entries(health).filter(([, value]) => value !== 0 && value !== undefined));
}

/** Docker leaves these fields out where they have no value. */
function optional<K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [P in K]?: V });
}
