import type { EngineClient } from "../client/client.ts";
import type { TerminalSize } from "../client/types/common.ts";
import type { Attachment } from "../client/types/streams.ts";
import type { ProjectSource } from "../model/types.ts";
import { findRunning } from "./containers.ts";
import { programFailure } from "./program.ts";

export interface ExecOptions {
  readonly service: string;
  readonly index: number | undefined;
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly detach: boolean;
  readonly environment: readonly string[]; // KEY=VALUE
  readonly user: string | undefined;
  readonly workdir: string | undefined;
  readonly privileged: boolean;
  readonly size: TerminalSize | undefined;
}

/** How the streams of the program are joined with ours; returns when its output ends. */
export type Join = (attachment: Attachment, resize: (size: TerminalSize) => Promise<void>) => Promise<void>;

/**
 * Runs a program in a running container of a service.
 *
 * @returns the program's exit status; 126 if it cannot be executed, 127 if it is not found; 0 when detached
 */
export async function exec(
  source: ProjectSource,
  options: ExecOptions,
  join: Join,
  engine: EngineClient,
): Promise<number> {
  const container = await findRunning(source, options.service, options.index, engine);
  return await execIn(container.id, options, join, engine);
}

export async function execIn(
  id: string,
  options: Omit<ExecOptions, "service" | "index">,
  join: Join,
  engine: EngineClient,
): Promise<number> {
  const { tty, size } = options;
  const exec = await engine.createExec(id, {
    Cmd: [...options.command],
    AttachStdin: options.stdin && !options.detach,
    AttachStdout: !options.detach,
    AttachStderr: !options.detach,
    Tty: tty,
    Env: [...options.environment],
    Privileged: options.privileged,
    ...(options.user !== undefined && { User: options.user }),
    ...(options.workdir !== undefined && { WorkingDir: options.workdir }),
    ...(size && { ConsoleSize: [size.rows, size.columns] as [number, number] }),
  });
  if (options.detach) {
    await engine.startExecDetached(exec);
    return 0;
  }
  try {
    const attachment = await engine.startExec(exec, { tty, ...(size && { size }) });
    await join(attachment, (changed) => engine.resizeExec(exec, changed));
  } catch (error) {
    throw programFailure(error);
  }
  const { ExitCode } = await engine.inspectExec(exec);
  return ExitCode ?? 0;
}
