import { isMissing } from "../../client/failures.ts";
import type { TerminalSize } from "../../client/types/common.ts";
import type { CreateContainerOptions } from "../../client/types/containers.ts";
import type { Context } from "../../context.ts";
import { pullImage } from "../images.ts";
import { programFailure } from "../program.ts";
import { accompany, type Forward, type JoinRun } from "../run.ts";

export interface ContainerRunOptions {
  readonly body: CreateContainerOptions; // with its image
  readonly name: string | undefined;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly detach: boolean;
  readonly size: TerminalSize | undefined;
  readonly forward: Forward;
}

/**
 * Makes a container of an image and runs it, pulling the image where it is missing.
 *
 * @returns its id, and the program's exit status, 0 when detached
 */
export async function runContainer(
  { body, name, tty, stdin, detach, size, forward }: ContainerRunOptions,
  begin: () => void,
  join: JoinRun,
  context: Context,
): Promise<{ readonly id: string; readonly status: number }> {
  const { engine } = context;
  const create = () => engine.createContainer({ ...body, ...(name && { name }) });
  const { Id: id } = await create().catch(async (error: unknown) => {
    if (!isMissing(error) || body.Image === undefined) throw error;
    await pullImage(body.Image, undefined, "not here yet", context);
    return await create();
  });
  begin();
  const start = (): Promise<void> =>
    engine.startContainer(id).catch((error: unknown) => {
      throw programFailure(error);
    });
  if (detach) {
    await start();
    return { id, status: 0 };
  }
  const attachment = await engine.attach(id, { stdin, stdout: true, stderr: true, tty });
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
