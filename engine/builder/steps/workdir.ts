import type { WorkdirStep } from "../plan/types.ts";
import { makeDirectories, stampDirectories } from "./directories.ts";
import { ownerOf } from "./owner.ts";
import type { Prepared, StepTools } from "./types.ts";

/** WORKDIR: every directory on the way that is missing is made, and is the current user's. */
export function prepareWorkdir(step: WorkdirStep, tools: StepTools): Prepared {
  const { workers, epoch } = tools;
  return {
    inputs: { path: step.path, user: step.user, epoch: String(epoch ?? "") },
    independent: false,
    async perform({ tree }) {
      const { owner } = await ownerOf(step.user, tree, workers);
      await stampDirectories(tree, await makeDirectories(tree, step.path, 0o755, owner, tools), tools);
    },
  };
}
