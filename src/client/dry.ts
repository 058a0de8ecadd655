import type { EngineClient } from "./client.ts";

/** Calls that change something, and answer nothing that a verb needs. */
const CHANGES = [
  "startContainer",
  "stopContainer",
  "restartContainer",
  "killContainer",
  "pauseContainer",
  "unpauseContainer",
  "removeContainer",
  "pullImage",
  "pushImage",
] as const satisfies readonly (keyof EngineClient)[];

/** The engine for `--dry-run`: it tells what is there, and changes nothing. */
export function dryEngine(engine: EngineClient): EngineClient {
  const nothing = async (): Promise<void> => undefined;
  return { ...engine, ...Object.fromEntries(CHANGES.map((name) => [name, nothing])) };
}
