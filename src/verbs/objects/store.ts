import type { EngineClient } from "../../client/client.ts";
import { AppError } from "../../errors.ts";
import type { Check } from "./check.ts";

/** What proving the image store has found. */
export interface StoreReport {
  readonly images: number;
  readonly layers: number;
  readonly blobs: number;
  readonly findings: readonly {
    readonly what: string;
    readonly id: string;
    readonly problem: string;
    /** What was done about it; absent where nothing was asked for. */
    readonly repair?: string;
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

/** The report as one line among the other checks. */
export function describeStore({ images, layers, blobs, findings }: StoreReport): Check {
  const isOpen = findings.some(({ repair }) => repair === undefined);
  const problems = `${findings.length} problem${findings.length === 1 ? "" : "s"}`;
  return {
    name: "image store",
    state: findings.length === 0 ? "ok" : isOpen ? "fail" : "warn",
    detail: `${images} images, ${layers} layers, ${blobs} blobs: ${findings.length === 0 ? "whole" : problems}`,
    ...(isOpen && { hint: "slipway system check --repair" }),
  };
}
