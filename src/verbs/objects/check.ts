import type { EngineClient } from "../../client/client.ts";
import { AppError } from "../../errors.ts";

/** One thing that the engine needs of its machine. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warn" | "fail";
  readonly detail: string;
  readonly hint?: string;
}

/** @throws {AppError} ENGINE_TOO_OLD against an engine that does not check itself */
export async function checkMachine(engine: EngineClient): Promise<readonly Check[]> {
  if (!(await engine.slipwayFeatures()).has("check")) {
    throw new AppError("ENGINE_TOO_OLD", `the engine at ${engine.address} does not check its machine`, {
      hint: "Use slipway's own engine: leave DOCKER_HOST unset.",
    });
  }
  return (await engine.slipwayGet<{ readonly checks: readonly Check[] }>("/check")).checks;
}
