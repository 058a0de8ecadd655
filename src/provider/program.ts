import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../errors.ts";
import type { Project, Service } from "../model/types.ts";

/** Where Docker's command line looks for programs of its own. */
const PLUGIN_FOLDERS = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
];

/**
 * The program behind `provider.type`: `docker-TYPE` among Docker's plugins, else TYPE in PATH.
 *
 * @throws {AppError} PROVIDER_FAILED
 * @see docker/compose docs/extension.md
 */
export async function findProgram(project: Project, service: Service): Promise<string> {
  const { type } = service.provider!;
  const env = project.environment;
  const own = env["DOCKER_CONFIG"] || join(env["HOME"] ?? "/", ".docker");
  const candidates = [
    ...[join(own, "cli-plugins"), ...PLUGIN_FOLDERS].map((folder) => join(folder, `docker-${type}`)),
    ...(env["PATH"] ?? "").split(":").map((folder) => join(folder, type)),
  ];
  for (const path of type.includes("/") || type === "compose" ? [] : candidates) {
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return path;
  }
  throw failure(
    project,
    service,
    `there is no provider "${type}"`,
    `Install docker-${type} as a plugin of Docker's command line, or ${type} in PATH.`,
  );
}

export function failure(project: Project, { name }: Service, message: string, hint?: string): AppError {
  const at = project.positionOf(["services", name, "provider", "type"]);
  return new AppError("PROVIDER_FAILED", `${name}: ${message}`, {
    ...(at && { at }),
    ...(hint !== undefined && { hint }),
  });
}
