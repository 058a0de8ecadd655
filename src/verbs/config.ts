import { relative } from "node:path";
import { AppError } from "../errors.ts";
import { buildGraph } from "../graph/graph.ts";
import { levels } from "../graph/order.ts";
import { toYaml } from "../model/emit.ts";
import { load } from "../model/load.ts";
import { flatten, printProvenance } from "../model/provenance.ts";
import { renderProject, toJson } from "../model/render.ts";
import { selectServices } from "../model/select.ts";
import type { Project, ProjectSource, Provenance, Warning } from "../model/types.ts";
import { imageOf } from "../reconcile/names.ts";
import type { DigestSource } from "./digests.ts";

export interface ConfigOptions {
  readonly services: readonly string[];
  readonly format: "yaml" | "json";
  /** The engine that knows the digests of images: they take the place of tags. */
  readonly digestsFrom?: DigestSource | undefined;
  /** Print only the images with their digests, as a file to lay over the project's. */
  readonly lockOnly?: boolean;
}

export interface Configured {
  readonly text: string;
  readonly warnings: readonly Warning[];
}

/** The project as text that can be loaded again. */
export async function config(source: ProjectSource, options: ConfigOptions): Promise<Configured> {
  const loaded = selectServices(await load(source), options.services);
  const project = await pinned(loaded, options.digestsFrom);
  const json = options.format === "json";
  const rendering = { escape: !source.skip?.interpolation, extensions: !json, nulls: json };
  const model = options.lockOnly ? imagesOnly(project) : renderProject(project, rendering);
  return { text: json ? `${toJson(model)}\n` : toYaml(model), warnings: project.warnings };
}

async function pinned(project: Project, from: DigestSource | undefined): Promise<Project> {
  if (!from) return project;
  const { withDigests } = await import("./digests.ts");
  return await withDigests(project, from);
}

/** What is accepted and yet likely wrong, the warnings of the loader included. */
export async function lint(source: ProjectSource): Promise<readonly Warning[]> {
  const project = await load(source);
  return [...project.warnings, ...project.lint()];
}

/** Lists of names and the like, one an entry, by the flag that asks for them. */
export const LISTS = {
  /** Dependencies first. */
  services: (project) => levels(buildGraph(project)).flat(),
  volumes: (project) => Object.keys(project.volumes).sort(),
  networks: (project) => Object.keys(project.networks).sort(),
  models: (project) => Object.keys(project.models).sort(),
  images: (project) =>
    Object.values(project.services).flatMap((service) =>
      service.provider ? [] : [imageOf(project, service)],
    ),
  profiles: (project) =>
    [
      ...new Set(
        [...Object.values(project.services), ...Object.values(project.disabledServices)].flatMap(
          ({ profiles }) => profiles ?? [],
        ),
      ),
    ].sort(),
  environment: (project) =>
    Object.entries(project.environment)
      .map(([name, value]) => `${name}=${value}`)
      .sort(),
} satisfies Record<string, (project: Project) => readonly string[]>;

export async function configList(
  source: ProjectSource,
  kind: keyof typeof LISTS,
  services: readonly string[],
): Promise<readonly string[]> {
  return LISTS[kind](selectServices(await load(source), services));
}

/**
 * What `up` compares a container's definition by.
 *
 * @param wanted services with commas between them, or `*`
 * @returns `service digest`, by name
 */
export async function configHashes(source: ProjectSource, wanted: string): Promise<readonly string[]> {
  const { contentDigests } = await import("../reconcile/observe.ts");
  const { serviceDefinition } = await import("../reconcile/definition.ts");
  const { digest } = await import("../reconcile/canonical.ts");
  const project = await load(source);
  const names = wanted === "*" ? Object.keys(project.services).sort() : wanted.split(",");
  selectServices(project, names);
  const contents = await contentDigests(project);
  return names.map(
    (name) => `${name} ${digest(serviceDefinition(project, project.services[name]!, contents))}`,
  );
}

/** Every value of the project, or what is below one path, with the file and line it comes from. */
export async function explain(source: ProjectSource, path: string | undefined): Promise<readonly string[]> {
  const shorten = (file: string): string => {
    const short = relative(source.cwd, file);
    return short === "" || short.startsWith("../..") ? file : short;
  };
  return printProvenance(await told(source, path), shorten);
}

/** As `explain`, for programs. */
export async function explainJson(source: ProjectSource, path: string | undefined): Promise<string> {
  return toJson(flatten(await told(source, path)));
}

async function told(source: ProjectSource, path: string | undefined): Promise<Provenance> {
  const project = await load(source);
  const parts = path === undefined ? [] : splitPath(path);
  const found = project.provenanceOf(parts);
  if (!found) throw unknownPath(project, path!, parts);
  return found;
}

/** `services.web.ports[0]`, `services.web.labels["a.b"]`: names with dots stand in brackets and quotes. */
function splitPath(path: string): (string | number)[] {
  return [...path.matchAll(/\["([^"]*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, name]) =>
    index === undefined ? (quoted ?? name!) : Number(index),
  );
}

function unknownPath(project: Project, path: string, parts: readonly (string | number)[]): AppError {
  let known = parts.slice(0, -1);
  while (known.length > 0 && !project.provenanceOf(known)) known = known.slice(0, -1);
  const keys = project.provenanceOf(known)?.children.map((child) => child.path.at(-1)) ?? [];
  return new AppError("USAGE", `there is no ${path} in the project`, {
    hint: `${known.length > 0 ? `${known.join(".")} has` : "There are"} ${keys.join(", ") || "nothing"}.`,
  });
}

function imagesOnly(project: Project): object {
  return {
    services: Object.fromEntries(
      Object.entries(project.services).flatMap(([name, { image }]) =>
        image === undefined ? [] : [[name, { image }]],
      ),
    ),
  };
}
