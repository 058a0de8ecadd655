/** The project as text: what `config` prints, in docker compose's shape, YAML or JSON. */
import { define } from "./node.ts";
import type { Project, Service } from "./types.ts";

export interface RenderOptions {
  /** Write `$$` for a dollar sign, so that the text can be loaded again. Not where variables were left alone. */
  readonly escape?: boolean;
  /** Say `command` and `entrypoint` also where they are not set, as docker compose's JSON does. */
  readonly nulls?: boolean;
  /** Leave out `x-*` below the top level, as docker compose's JSON does. */
  readonly extensions?: boolean;
}

/** The model as plain values, keys in order. */
export function renderProject(project: Project, options: RenderOptions = {}): object {
  const services: Record<string, unknown> = {};
  for (const [name, service] of sorted(project.services))
    define(services, name, renderService(service, options));
  const sections = {
    networks: project.networks,
    volumes: project.volumes,
    secrets: project.secrets,
    configs: project.configs,
    models: project.models,
  };
  const used = Object.entries(sections).filter(([, section]) => Object.keys(section).length > 0);
  const model = { name: project.name, services, ...Object.fromEntries(used), ...project.extensions };
  return order(model, options, []) as object;
}

function renderService({ name: _, ...service }: Service, options: RenderOptions): object {
  return {
    ...service,
    ...(options.nulls && { command: service.command ?? null, entrypoint: service.entrypoint ?? null }),
    ...(service.networks && { networks: nulls(service.networks) }),
    ...(service.models && { models: nulls(service.models) }),
  };
}

const nulls = (section: object): object =>
  Object.fromEntries(
    Object.entries(section).map(([key, value]) => [
      key,
      Object.keys(value as object).length > 0 ? value : null,
    ]),
  );

function order(value: unknown, options: RenderOptions, path: readonly string[]): unknown {
  if (typeof value === "string") return options.escape ? value.replaceAll("$", "$$$$") : value;
  if (Array.isArray(value)) return value.map((item) => order(item, options, [...path, "*"]));
  if (typeof value !== "object" || value === null) return value;
  const result = {};
  for (const [key, item] of path.length === 0 ? Object.entries(value) : sorted(value)) {
    if (
      options.extensions === false &&
      path.length >= 2 &&
      key.startsWith("x-") &&
      !path[0]!.startsWith("x-")
    )
      continue;
    define(result, key, order(item, options, [...path, key]));
  }
  return result;
}

const sorted = <T>(value: Readonly<Record<string, T>> | object): [string, T][] =>
  Object.entries(value as Record<string, T>).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

/** JSON of any value; an integer beyond 2^53 keeps its digits. */
export function toJson(value: unknown, indent = ""): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => toJson(item, inner))
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => `${JSON.stringify(key)}: ${toJson(item, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return parts.length === 0
    ? `${open}${close}`
    : `${open}\n${parts.map((part) => inner + part).join(",\n")}\n${indent}${close}`;
}
