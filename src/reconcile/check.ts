import { stat } from "node:fs/promises";
import { AppError, type FailureCode } from "../errors.ts";
import type { Project, Service } from "../model/types.ts";

/** What the file may say and this program cannot do: better said before than left out in silence. */
const UNSUPPORTED: readonly (readonly [keyof Service, string])[] = [
  ["models", "models, which need a model runner,"],
  ["credential_spec", "credential specs, which are Windows'"],
];

/**
 * What would fail for sure, found before anything is touched.
 *
 * @param local whether the engine sees the same files as this process
 */
export async function checkServices(
  project: Project,
  services: readonly string[],
  local: boolean,
): Promise<readonly AppError[]> {
  const unsupported = services.flatMap((name) => [
    ...refusals(project, name),
    ...namedInterfaces(project, name),
    ...foreignFiles(project, name),
  ]);
  const missing = local ? await Promise.all(services.map((name) => missingSources(project, name))) : [];
  return [...unsupported, ...missing.flat()];
}

function refusals(project: Project, name: string): AppError[] {
  const service = project.services[name]!;
  return UNSUPPORTED.filter(([key]) => hasContent(service[key])).map(([key, what]) =>
    failure(
      project,
      "COMPOSE_VALUE",
      ["services", name, key],
      `${name}: ${what} are not supported`,
      `Leave ${key} out.`,
    ),
  );
}

/** An interface gets its name in engines of API 1.49 and later; others leave it out in silence. */
function namedInterfaces(project: Project, name: string): AppError[] {
  return Object.entries(project.services[name]!.networks ?? {}).flatMap(([key, given]) => {
    if (given.interface_name === undefined) return [];
    const message = `${name}: the engine cannot name the interface of network ${key}`;
    const path = ["services", name, "networks", key, "interface_name"];
    return [failure(project, "COMPOSE_VALUE", path, message, "Leave interface_name out.")];
  });
}

/** Secrets and configs of a store that only a swarm has. */
function foreignFiles(project: Project, name: string): AppError[] {
  const service = project.services[name]!;
  return (["secrets", "configs"] as const).flatMap((kind) =>
    (service[kind] ?? []).flatMap(({ source }, index) => {
      const given = project[kind][source];
      const foreign = given?.external
        ? "is external"
        : given && "driver" in given && given.driver && "has a driver";
      if (!foreign) return [];
      const message = `${name}: ${kind.slice(0, -1)} ${source} ${foreign}, and there is no store to take it from`;
      const hint = "Give it a file, an environment or, for a config, its content.";
      return [failure(project, "COMPOSE_VALUE", ["services", name, kind, index], message, hint)];
    }),
  );
}

async function missingSources(project: Project, name: string): Promise<AppError[]> {
  const mounts = (project.services[name]!.volumes ?? []).map((mount, index) => ({ mount, index }));
  const strict = mounts.filter(
    ({ mount }) => mount.type === "bind" && mount.bind?.create_host_path === false,
  );
  const found = await Promise.all(
    strict.map(async ({ mount, index }) => {
      if (await stat(mount.source!).catch(() => undefined)) return [];
      const message = `${name}: ${mount.source} does not exist, and is not to be created`;
      const path = ["services", name, "volumes", index];
      return [
        failure(project, "SOURCE_MISSING", path, message, "Create it, or leave bind.create_host_path out."),
      ];
    }),
  );
  return found.flat();
}

function failure(
  project: Project,
  code: FailureCode,
  path: readonly (string | number)[],
  message: string,
  hint: string,
): AppError {
  const at = project.positionOf(path);
  return new AppError(code, message, { ...(at && { at }), hint });
}

function hasContent(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && (typeof value !== "object" || Object.keys(value as object).length > 0);
}
