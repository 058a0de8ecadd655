import type { EngineClient } from "../client/client.ts";
import type { ContainerInspect } from "../client/types/containers.ts";
import { AppError } from "../errors.ts";
import type { Project } from "../model/types.ts";
import { signalOf } from "./signals.ts";

const LINES = 10;

/** SERVICE_UNHEALTHY with what the last probe said and the last lines of the log. */
export async function healthFailure(
  project: Project,
  service: string,
  container: ContainerInspect,
  engine: EngineClient,
): Promise<AppError> {
  const health = container.State.Health;
  const probe = health?.Log?.at(-1);
  const said = probe?.Output.trim();
  const count = health?.FailingStreak ?? 0;
  const verdict = probe ? `: exit ${probe.ExitCode}${said ? ` "${said.split("\n").at(-1)}"` : ""}` : "";
  const at =
    project.positionOf(["services", service, "healthcheck"]) ?? project.positionOf(["services", service]);
  const { image } = project.services[service] ?? {};
  return new AppError(
    "SERVICE_UNHEALTHY",
    `${service} is unhealthy after ${count} failed probe${count === 1 ? "" : "s"}${verdict}`,
    {
      ...(at && { at }),
      said: { by: service, lines: await lastLines(container, engine, LINES) },
      hint: probeHint(container.Config.Healthcheck?.Test, service, image),
    },
  );
}

/** SERVICE_EXITED with the exit status and the last lines of the log. */
export async function exitFailure(
  project: Project,
  service: string,
  container: ContainerInspect,
  engine: EngineClient,
): Promise<AppError> {
  const { ExitCode, OOMKilled, Error: reason } = container.State;
  const signal = signalOf(ExitCode);
  const how = OOMKilled ? `${ExitCode}, out of memory` : `${ExitCode}${signal ? ` (${signal})` : ""}`;
  const at =
    project.positionOf(["services", service, "command"]) ?? project.positionOf(["services", service]);
  return new AppError("SERVICE_EXITED", `${service} exited with ${how}${reason ? `: ${reason}` : ""}`, {
    ...(at && { at }),
    said: { by: service, lines: await lastLines(container, engine, LINES) },
    hint: OOMKilled ? `Raise mem_limit of ${service}.` : `\`slipway logs ${service}\` shows all it said.`,
  });
}

/** None where the log driver keeps none: the failure itself matters more. */
export async function lastLines(
  { Id, Config }: ContainerInspect,
  engine: EngineClient,
  count: number,
): Promise<readonly string[]> {
  let text = "";
  try {
    const options = { stdout: true, stderr: true, tail: count, tty: Config.Tty ?? false };
    for await (const { data } of engine.logs(Id, options)) text += data.toString("utf8");
  } catch {
    return [];
  }
  return text
    .split(/\r?\n/)
    .filter((line) => line !== "")
    .slice(-count);
}

function probeHint(test: readonly string[] | undefined, service: string, image: string | undefined): string {
  const command = test?.[0] === "CMD-SHELL" ? test[1] : test?.slice(1).join(" ");
  if (!command) return `The probe is defined by the image ${image ?? "of the service"}.`;
  return `Try the probe by hand: slipway exec ${service} ${test?.[0] === "CMD-SHELL" ? `sh -c '${command}'` : command}`;
}
