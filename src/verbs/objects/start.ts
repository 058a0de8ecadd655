import type { Context } from "../../context.ts";
import type { AttachOptions } from "../attach.ts";
import { programFailure } from "../program.ts";
import { accompany, type JoinRun } from "../run.ts";

/** Starts a container that is there, with its streams joined before anything can be missed. @returns its exit status */
export async function startJoined(
  id: string,
  options: AttachOptions,
  join: (tty: boolean) => JoinRun,
  { engine }: Context,
): Promise<number> {
  const { Config } = await engine.inspectContainer(id);
  const tty = Config.Tty ?? false;
  const { detachKeys } = options;
  const attachment = await engine.attach(id, {
    stdin: options.stdin && Config.OpenStdin,
    stdout: true,
    stderr: true,
    tty,
    ...(detachKeys && { detachKeys }),
  });
  const { result } = await engine.beginWait(id, { condition: "next-exit" });
  await engine.startContainer(id).catch((error: unknown) => {
    throw programFailure(error);
  });
  return await accompany(id, options, engine, async () => {
    await join(tty)(attachment, (size) => engine.resizeContainer(id, size));
    return (await result).StatusCode;
  });
}
