import { randomBytes } from "node:crypto";
import type { EngineClient } from "../client/client.ts";
import type { CreateContainerOptions } from "../client/types/containers.ts";
import { AppError } from "../errors.ts";
import { LABEL } from "../labels.ts";
import type { Hook, Project, Service } from "../model/types.ts";
import { containerBody } from "./body/body.ts";
import { imageOf } from "./names.ts";

export interface InitPlace {
  readonly service: string;
  readonly number: number;
  readonly container: string; // whose mounts it shares
  readonly index: number;
}

/**
 * Runs a step of `pre_start` to its end, in a container of its own: with the mounts of the service's, which is made and
 * not started, and on its networks.
 *
 * @throws {AppError} HOOK_FAILED with what it printed
 * @see compose-spec services.md, "pre_start"
 */
export async function runInit(project: Project, place: InitPlace, engine: EngineClient): Promise<string> {
  const own = project.services[place.service]!;
  const hook = own.pre_start![place.index]!;
  const slug = randomBytes(32).toString("hex");
  const name = [project.name, own.name, "pre_start", slug.slice(0, 12)].join("-");
  const { Id: id } = await engine.createContainer({
    name,
    ...initBody(project, own, hook, place, name, slug),
  });
  try {
    const { result } = await engine.beginWait(id, { condition: "next-exit" });
    await engine.startContainer(id);
    const { StatusCode } = await result;
    if (StatusCode === 0) return `pre_start ${place.index + 1} done`;
    const at = project.positionOf(["services", own.name, "pre_start", place.index]);
    throw new AppError(
      "HOOK_FAILED",
      `${own.name}: its pre_start step ${place.index + 1} exited with ${StatusCode}`,
      {
        ...(at && { at }),
        said: { by: "the step", lines: await lastLines(id, engine) },
      },
    );
  } finally {
    await engine.removeContainer(id, { force: true, volumes: true });
  }
}

function initBody(
  project: Project,
  own: Service,
  hook: Hook,
  { container }: InitPlace,
  name: string,
  slug: string,
): CreateContainerOptions {
  const {
    ports: _ports,
    build: _build,
    container_name: _name,
    volumes: _volumes,
    tmpfs: _tmpfs,
    ...rest
  } = own;
  const { user, privileged, working_dir } = hook;
  const service: Service = {
    ...rest,
    image: hook.image ?? imageOf(project, own),
    command: hook.command ?? [],
    environment: { ...own.environment, ...hook.environment },
    ...(user && { user }),
    ...(privileged !== undefined && { privileged }),
    ...(working_dir && { working_dir }),
    restart: "no",
    healthcheck: { disable: true },
    secrets: [],
    configs: [],
    volumes_from: [`container:${container}`],
  };
  // Another image has a program of its own to start.
  const { entrypoint: _entrypoint, ...foreign } = service;
  const body = containerBody({
    project,
    service: hook.image === undefined || hook.image === own.image ? service : foreign,
    number: 1,
    name,
    image: undefined,
    definition: {},
    carried: {},
  });
  for (const endpoint of Object.values(body.NetworkingConfig?.EndpointsConfig ?? {})) {
    // The service's own names and addresses are its container's.
    endpoint.Aliases = [name];
    delete endpoint.IPAMConfig;
    delete endpoint.MacAddress;
  }
  return { ...body, Labels: { ...body.Labels, [LABEL.oneoff]: "True", [LABEL.slug]: slug } };
}

async function lastLines(id: string, engine: EngineClient): Promise<string[]> {
  let text = "";
  for await (const { data } of engine.logs(id, { stdout: true, stderr: true, tail: 10 }))
    text += data.toString("utf8");
  return text.split(/\r?\n/).filter((line) => line !== "");
}
