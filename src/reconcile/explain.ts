import type { EngineClient } from "../client/client.ts";
import { EngineFailure } from "../client/failures.ts";
import { AppError } from "../errors.ts";
import { LABEL } from "../labels.ts";
import type { Project, Service, SourcePosition } from "../model/types.ts";
import { portHolder } from "./holder.ts";

/**
 * Does a call for a service, and turns what the engine refuses into a failure that says where in the file it comes
 * from and, for a port, who has it.
 */
export async function explain<T>(
  project: Project,
  name: string,
  engine: EngineClient,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof EngineFailure)) throw error;
    const service = project.services[name];
    if (error.code === "PORT_TAKEN" && service) throw await portTaken(project, service, engine, error);
    const at = placeOf(project, name, error.message);
    throw new AppError(error.code, `${name}: ${error.message}`, {
      ...(at && { at }),
      ...(error.hint && { hint: error.hint }),
      cause: error,
    });
  }
}

async function portTaken(
  project: Project,
  service: Service,
  engine: EngineClient,
  cause: EngineFailure,
): Promise<AppError> {
  const ports = service.ports ?? [];
  const found = ports.findIndex(
    ({ published }) => published && new RegExp(`\\b${published}\\b`).test(cause.message),
  );
  const index = found < 0 ? ports.findIndex(({ published }) => published) : found;
  const port = ports[index];
  const at = project.positionOf(["services", service.name, "ports", index]);
  const number = Number(port?.published?.split("-")[0] ?? 0);
  const holder =
    (await containerHolder(number, port?.protocol ?? "tcp", engine)) ??
    (await portHolder(number, port?.protocol ?? "tcp"));
  const address = `${port?.host_ip ? `${port.host_ip}:` : ""}${port?.published}`;
  return new AppError(
    "PORT_TAKEN",
    `${service.name}: port ${address} is taken${holder ? ` by ${holder}` : ""}`,
    {
      ...(at && { at }),
      hint: `Publish another port, such as "${number + 1}:${port?.target}", or stop what uses this one.`,
      cause,
    },
  );
}

/** `container blog-web-1 (project blog, /home/me/blog)`. */
async function containerHolder(
  port: number,
  protocol: string,
  engine: EngineClient,
): Promise<string | undefined> {
  const running = await engine.listContainers({});
  const holder = running.find(({ Ports }) =>
    Ports.some(({ PublicPort, Type }) => PublicPort === port && Type === protocol),
  );
  if (!holder) return undefined;
  const project = holder.Labels[LABEL.project];
  const directory = holder.Labels[LABEL.workingDir];
  const origin = project ? ` (project ${project}${directory ? `, ${directory}` : ""})` : "";
  return `container ${holder.Names[0]?.replace(/^\//, "")}${origin}`;
}

/** The line of the file that an engine's complaint is most likely about. */
function placeOf(project: Project, service: string, message: string): SourcePosition | undefined {
  const { volumes = [] } = project.services[service] ?? {};
  const mount = volumes.findIndex(({ source }) => source && message.includes(source));
  if (mount >= 0) return project.positionOf(["services", service, "volumes", mount]);
  for (const [words, key] of [
    [/image/i, "image"],
    [/exec|executable|command/i, "command"],
    [/network/i, "networks"],
    [/mount|bind/i, "volumes"],
  ] as const) {
    if (words.test(message)) return project.positionOf(["services", service, key]);
  }
  return project.positionOf(["services", service]);
}
