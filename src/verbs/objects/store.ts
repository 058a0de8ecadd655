import type { EngineClient } from "../../client/client.ts";
import { AppError } from "../../errors.ts";

/** What proving the image store has found. */
export interface StoreReport {
  readonly images: number;
  readonly layers: number;
  readonly blobs: number;
  readonly findings: readonly {
    readonly what: string;
    readonly id: string;
    readonly problem: string;
    readonly repair: string;
  }[];
}

/**
 * Has the engine prove every digest and reference of its image store; it reads all of it.
 *
 * @throws {AppError} ENGINE_TOO_OLD against another engine
 */
export async function checkStore(engine: EngineClient, repair: boolean): Promise<StoreReport> {
  if ((await engine.slipwayFeatures()).size === 0) {
    throw new AppError("ENGINE_TOO_OLD", `the engine at ${engine.address} does not check its images`, {
      hint: "Use slipway's own engine: leave DOCKER_HOST unset.",
    });
  }
  return await engine.slipwayPost<StoreReport>(`/images/check${repair ? "?repair=1" : ""}`);
}
