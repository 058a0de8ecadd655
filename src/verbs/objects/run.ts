import { isMissing } from "../../client/failures.ts";
import type { TerminalSize } from "../../client/types/common.ts";
import type { CreateContainerOptions } from "../../client/types/containers.ts";
import type { Context } from "../../context.ts";
import { pullImage } from "../images.ts";
import { programFailure } from "../program.ts";
import { accompany, type Forward, type JoinRun } from "../run.ts";

export interface ContainerCreateOptions {
  readonly body: CreateContainerOptions; // with its image
  readonly name: string | undefined;
  readonly platform: string | undefined;
  readonly pull: "always" | "missing" | "never";
}

export interface ContainerRunOptions extends ContainerCreateOptions {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly detach: boolean;
  readonly outputs: readonly ("stdin" | "stdout" | "stderr")[]; // those to be joined
  readonly detachKeys: string | undefined;
  /** Told the id before it starts. */
  created(id: string): void;
  readonly size: TerminalSize | undefined;
  readonly forward: Forward;
}

/** Makes a container of an image, which is pulled as `pull` says. @returns its id */
export async function createContainer(
  { body, name, platform, pull }: ContainerCreateOptions,
  context: Context,
): Promise<string> {
  const image = body.Image ?? "";
  if (pull === "always") await pullImage(image, platform, "asked for by --pull", context);
  const create = () =>
    context.engine.createContainer({ ...body, ...(name && { name }), ...(platform && { platform }) });
  try {
    return (await create()).Id;
  } catch (error) {
    if (!isMissing(error) || pull !== "missing") throw error;
    await pullImage(image, platform, "not here yet", context);
    return (await create()).Id;
  }
}

/**
 * Makes a container of an image and runs it.
 *
 * @returns its id, and the program's exit status, 0 when detached
 */
export async function runContainer(
  options: ContainerRunOptions,
  begin: () => void,
  join: JoinRun,
  context: Context,
): Promise<{ readonly id: string; readonly status: number }> {
  const { engine } = context;
  const { body, tty, stdin, detach, outputs, detachKeys, size, forward } = options;
  const id = await createContainer(options, context);
  options.created(id);
  begin();
  const start = (): Promise<void> =>
    engine.startContainer(id).catch((error: unknown) => {
      throw programFailure(error);
    });
  if (detach) {
    await start();
    return { id, status: 0 };
  }
  const attachment = await engine.attach(id, {
    stdin,
    stdout: outputs.includes("stdout"),
    stderr: outputs.includes("stderr"),
    tty,
    ...(detachKeys && { detachKeys }),
  });
  const { result } = await engine.beginWait(id, {
    condition: body.HostConfig?.AutoRemove ? "removed" : "next-exit",
  });
  await start();
  const status = await accompany(id, { forward }, engine, async () => {
    if (tty && size) await engine.resizeContainer(id, size).catch(() => undefined); // It may have ended already.
    await join(attachment, (changed) => engine.resizeContainer(id, changed));
    return (await result).StatusCode;
  });
  return { id, status };
}
