import { EngineError } from "../errors.ts";
import type { Container } from "./container.ts";
import { emit, type Tools } from "./tools.ts";

/** @throws {EngineError} invalid for a name that breaks the rule, conflict for one that is taken */
export async function renameContainer(tools: Tools, container: Container, name: string): Promise<void> {
  if (name === "") throw new EngineError("invalid", "Neither old nor new names may be empty");
  await tools.serial.run(container.id, async () => {
    const old = container.name;
    if (name.replace(/^\//, "") === old) {
      throw new EngineError("invalid", "Renaming a container with the same name as its current name");
    }
    const chosen = newName(tools, container, name);
    await tools.registry.change(container, { name: chosen }).catch((error: unknown) => {
      tools.registry.freeName(chosen, container.id);
      throw error;
    });
    tools.registry.freeName(old, container.id);
    if (container.live !== undefined) tools.networks.rename(container.id, chosen);
    emit(tools, container, "rename", { oldName: `/${old}` });
  });
}

function newName(tools: Tools, container: Container, name: string): string {
  try {
    return tools.registry.reserveName(name, container.id);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(error.kind, `Error when allocating new name: ${error.message}`, { cause: error });
  }
}
