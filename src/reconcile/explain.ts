import type { EngineClient } from "../client/client.ts";
import { EngineFailure } from "../client/failures.ts";
import { AppError } from "../errors.ts";
import type { Project, SourcePosition } from "../model/types.ts";
import { explainPort } from "./ports.ts";
import { engineWords } from "./words.ts";

/**
 * Does a call for a service, and turns what the engine refuses into a failure that says where in the file it comes
 * from and, for a port, who has it.
 */
export async function explain<T>(
  project: Project,
  name: string,
  engine: EngineClient,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof EngineFailure)) throw error;
    if (error.code === "PORT_TAKEN") throw await explainPort(project, name, engine, error);
    const at = placeOf(project, name, error.message);
    const { message, program } = engineWords(error.message);
    const hint =
      program === undefined ? error.hint : `Look into the image: slipway run --rm --entrypoint sh ${name}`;
    const code = error.code === "ENGINE_FAILED" ? "CONTAINER_FAILED" : error.code;
    throw new AppError(code, `${name}: ${message}`, {
      ...(at && { at }),
      ...(hint && { hint }),
      cause: error,
    });
  }
}

/** The line of the file that an engine's complaint is most likely about. */
function placeOf(project: Project, service: string, message: string): SourcePosition | undefined {
  const { volumes = [] } = project.services[service] ?? {};
  const mount = volumes.findIndex(({ source }) => source && message.includes(source));
  if (mount >= 0) return project.positionOf(["services", service, "volumes", mount]);
  for (const [words, key] of [
    [/image/i, "image"],
    [/exec|executable|command/i, "command"],
    [/network/i, "networks"],
    [/mount|bind/i, "volumes"],
  ] as const) {
    if (words.test(message)) return project.positionOf(["services", service, key]);
  }
  return project.positionOf(["services", service]);
}
