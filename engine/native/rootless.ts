/** An ordinary user's engine: it runs as root of a user namespace, where the program can do what it does for root. */
import { mkdirSync } from "node:fs";
import { program } from "./program.ts";

/** The user whose engine this is, as the machine knows it; inside the namespace getuid() is 0. */
export function engineUser(env: NodeJS.ProcessEnv): number {
  return Number(env["SLIPWAY_ROOTLESS"] ?? process.getuid?.() ?? 0);
}

/** Whether this process is still outside of the namespace that it needs. */
export function needsNamespace(env: NodeJS.ProcessEnv): boolean {
  return engineUser(env) !== 0 && env["SLIPWAY_ROOTLESS"] === undefined;
}

/**
 * Becomes this very command again, within the namespaces; does not return.
 *
 * @param directory the user's alone: what is found there belongs to the last engine, whose namespaces are joined
 */
export function enterNamespace(directory: string): never {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  if (process.execve === undefined) throw new Error("this Node cannot replace itself by another program");
  return process.execve(program(), ["slipway-native", "rootless", directory, ...command], process.env);
}
