import { execFile } from "node:child_process";
import type { ProviderCommand } from "./run.ts";

/** What a program takes with one command. */
export interface Accepted {
  option(name: string): boolean;
  readonly required: readonly string[];
}

interface Command {
  readonly parameters?: readonly { readonly name: string; readonly required?: boolean }[] | null;
}

interface Metadata {
  readonly description?: string;
  readonly up?: Command;
  readonly down?: Command;
  readonly stop?: Command;
}

/**
 * Asks a provider what it takes: `PROGRAM compose metadata`. One that does not answer takes every option, and no `stop`.
 *
 * @returns undefined where there is nothing to do for the command
 */
export async function readMetadata(
  program: string,
  command: ProviderCommand,
  env: Readonly<Record<string, string>>,
): Promise<Accepted | undefined> {
  const metadata = await ask(program, env);
  if (command === "stop" && !metadata.stop) return undefined;
  if (!metadata.description && !metadata.up?.parameters && !metadata.down?.parameters)
    return { option: () => true, required: [] };
  const parameters = metadata[command]?.parameters ?? [];
  return {
    option: (name) => parameters.some((parameter) => parameter.name === name),
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
  };
}

function ask(program: string, env: Readonly<Record<string, string>>): Promise<Metadata> {
  return new Promise((resolve) => {
    execFile(program, ["compose", "metadata"], { env, timeout: 10_000 }, (error, stdout) => {
      try {
        const metadata: unknown = error ? {} : JSON.parse(stdout);
        resolve(typeof metadata === "object" && metadata !== null ? metadata : {});
      } catch {
        resolve({}); // It has no such command: nothing is known of it.
      }
    });
  });
}
