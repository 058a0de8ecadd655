import { daemonProgram } from "../client/program.ts";

/** Puts the engine in the place of this process: same pid, same streams, so that a service manager sees one program. */
export function becomeDaemon(args: readonly string[]): number {
  const { argv, env } = daemonProgram();
  process.execve?.(argv[0], [...argv, ...args], { ...process.env, ...env });
  // Only a Node without execve comes here.
  return 1;
}
