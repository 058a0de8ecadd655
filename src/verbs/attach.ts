import type { Context } from "../context.ts";
import { accompany, type Forward, type JoinRun } from "./run.ts";

export interface AttachOptions {
  readonly stdin: boolean;
  readonly detachKeys: string | undefined;
  readonly forward: Forward;
}

/**
 * Joins the streams of a running container with ours.
 *
 * @param id of the container
 * @returns the program's exit status, 0 when detached by its keys
 */
export async function attach(
  id: string,
  options: AttachOptions,
  join: (tty: boolean) => JoinRun,
  { engine }: Context,
): Promise<number> {
  const { Config } = await engine.inspectContainer(id);
  const tty = Config.Tty ?? false;
  const stdin = options.stdin && Config.OpenStdin;
  const { detachKeys } = options;
  const attachment = await engine.attach(id, {
    stdin,
    stdout: true,
    stderr: true,
    tty,
    ...(detachKeys && { detachKeys }),
  });
  return await accompany(id, options, engine, async () => {
    await join(tty)(attachment, (size) => engine.resizeContainer(id, size));
    const { State } = await engine.inspectContainer(id);
    return State.Running ? 0 : State.ExitCode;
  });
}
