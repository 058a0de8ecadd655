import type { EngineClient } from "../client/client.ts";
import { AppError } from "../errors.ts";
import type { Hook, Project } from "../model/types.ts";
import { environmentList } from "./body/body.ts";

export interface HookPlace {
  readonly service: string;
  readonly number: number;
  readonly when: "post_start" | "pre_stop";
  readonly index: number;
}

/**
 * Runs a lifecycle hook in a container. One that fails before a stop does not keep the container from stopping.
 *
 * @returns what is to be said of it
 * @throws {AppError} HOOK_FAILED with what it printed, for `post_start`
 */
export async function runHook(
  project: Project,
  { service, number, when, index }: HookPlace,
  hook: Hook,
  container: string,
  engine: EngineClient,
): Promise<string> {
  const exec = await engine.createExec(container, {
    Cmd: [...(hook.command ?? [])],
    AttachStdout: true,
    AttachStderr: true,
    Env: environmentList(hook.environment),
    ...(hook.user && { User: hook.user }),
    ...(hook.privileged && { Privileged: true }),
    ...(hook.working_dir && { WorkingDir: hook.working_dir }),
  });
  const { output } = await engine.startExec(exec, { tty: false });
  let text = "";
  for await (const { data } of output) text = (text + data.toString("utf8")).slice(-4096);
  const { ExitCode } = await engine.inspectExec(exec);
  if (ExitCode === 0 || ExitCode === null) return `${when} done`;
  if (when === "pre_stop") return `pre_stop failed with ${ExitCode}`;
  const at = project.positionOf(["services", service, when, index]);
  throw new AppError("HOOK_FAILED", `${service}-${number}: its ${when} hook exited with ${ExitCode}`, {
    ...(at && { at }),
    said: {
      by: "the hook",
      lines: text
        .split(/\r?\n/)
        .filter((line) => line !== "")
        .slice(-10),
    },
  });
}
