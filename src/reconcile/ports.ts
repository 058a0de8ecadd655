/** Published ports: who claims them, who has them. Looked at before anything is created, and again when a start fails. */
import { readlink } from "node:fs/promises";
import type { ContainerInfo } from "dockerode";
import type { EngineClient } from "../client/client.ts";
import { AppError } from "../errors.ts";
import { LABEL } from "../labels.ts";
import type { Port, Project } from "../model/types.ts";
import { portHolder } from "./holder.ts";
import type { Plan } from "./operations.ts";

interface Claim {
  readonly service: string;
  readonly index: number; // in the service's `ports`
  readonly port: Port;
  readonly published: number;
}

/** What the plan's starts would fail with because of their ports, as far as can be told before. */
export async function portConflicts(
  project: Project,
  plan: Plan,
  engine: EngineClient,
): Promise<readonly AppError[]> {
  const claims = claimsOf(project, plan);
  if (claims.length === 0) return [];
  const inside = conflictsInside(project, claims);
  if (inside.length > 0) return inside;
  const stopped = new Set(
    plan.steps.flatMap(({ operation }) => (operation.kind === "stopContainer" ? [operation.container] : [])),
  );
  const running = (await engine.listContainers({})).filter(({ Id }) => !stopped.has(Id));
  const sameNamespace = await sharesNamespace(engine);
  const conflicts = await Promise.all(
    claims.map(async (claim) => {
      const { published, port } = claim;
      const holder =
        containerHolder(running, published, port) ??
        // Ports of containers that are about to be stopped are held by the engine itself.
        (sameNamespace && stopped.size === 0 ? await portHolder(published, protocolOf(port)) : undefined);
      return holder === undefined ? undefined : portTaken(project, claim, holder);
    }),
  );
  return conflicts.filter((conflict) => conflict !== undefined);
}

/** The failure of a start that the engine has refused because of a port. */
export async function explainPort(
  project: Project,
  service: string,
  engine: EngineClient,
  cause: Error,
): Promise<AppError> {
  const claims = claimsOfService(project, service);
  const claim =
    claims.find(({ published }) => new RegExp(`\\b${published}\\b`).test(cause.message)) ?? claims[0];
  if (claim === undefined) return new AppError("PORT_TAKEN", `${service}: ${cause.message}`, { cause });
  const { published, port } = claim;
  const holder =
    containerHolder(await engine.listContainers({}), published, port) ??
    (await portHolder(published, protocolOf(port)));
  return portTaken(project, claim, holder, cause);
}

function portTaken(
  project: Project,
  { service, index, port, published }: Claim,
  holder: string | undefined,
  cause?: Error,
): AppError {
  const at = project.positionOf(["services", service, "ports", index]);
  const address = `${port.host_ip ? `${port.host_ip}:` : ""}${published}`;
  return new AppError("PORT_TAKEN", `${service}: port ${address} is taken${holder ? ` by ${holder}` : ""}`, {
    ...(at && { at }),
    hint: `Publish another port, such as "${published + 1}:${port.target}", or stop what uses this one.`,
    cause,
  });
}

function conflictsInside(project: Project, claims: readonly Claim[]): readonly AppError[] {
  return claims.flatMap((claim, position) => {
    const other = claims
      .slice(0, position)
      .find((earlier) => earlier.published === claim.published && overlap(earlier.port, claim.port));
    if (!other) return [];
    const at = project.positionOf(["services", claim.service, "ports", claim.index]);
    const [message, hint] =
      other.service === claim.service && other.index === claim.index
        ? [
            `${claim.service}: its containers cannot all publish port ${claim.published}`,
            `Leave the host's port out ("${claim.port.target}"), or give a range.`,
          ]
        : [
            `${other.service} and ${claim.service} both publish port ${claim.published}`,
            "Give one of them another port.",
          ];
    return [new AppError("PORT_TAKEN", message, { ...(at && { at }), hint })];
  });
}

/** One claim a container that is going to be started and a port with a fixed number. */
function claimsOf(project: Project, plan: Plan): readonly Claim[] {
  return plan.steps.flatMap(({ operation }) =>
    operation.kind === "startContainer" ? claimsOfService(project, operation.service) : [],
  );
}

function claimsOfService(project: Project, service: string): readonly Claim[] {
  return (project.services[service]?.ports ?? []).flatMap((port, index) =>
    /^\d+$/.test(port.published ?? "") ? [{ service, index, port, published: Number(port.published) }] : [],
  );
}

function overlap(a: Port, b: Port): boolean {
  const anywhere = (port: Port): boolean =>
    !port.host_ip || port.host_ip === "0.0.0.0" || port.host_ip === "::";
  return protocolOf(a) === protocolOf(b) && (anywhere(a) || anywhere(b) || a.host_ip === b.host_ip);
}

function protocolOf(port: Port): string {
  return port.protocol ?? "tcp";
}

/** `container blog-web-1 (project blog, /home/me/blog)`. */
function containerHolder(
  running: readonly ContainerInfo[],
  published: number,
  port: Port,
): string | undefined {
  const holder = running.find(({ Ports }) =>
    Ports.some(
      ({ PublicPort, Type, IP }) =>
        PublicPort === published && overlap(port, { target: 0, protocol: Type, host_ip: IP }),
    ),
  );
  if (!holder) return undefined;
  const project = holder.Labels[LABEL.project];
  const directory = holder.Labels[LABEL.workingDir];
  const origin = project ? ` (project ${project}${directory ? `, ${directory}` : ""})` : "";
  return `container ${holder.Names[0]?.replace(/^\//, "")}${origin}`;
}

/** Whether this process and the engine see the same sockets; only our engine tells. */
async function sharesNamespace(engine: EngineClient): Promise<boolean> {
  const [{ Components }, own] = await Promise.all([
    engine.version(),
    readlink("/proc/self/ns/net").catch(() => undefined),
  ]);
  return (
    own !== undefined && Components?.some(({ Details }) => Details?.["NetworkNamespace"] === own) === true
  );
}
