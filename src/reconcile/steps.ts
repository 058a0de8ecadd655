import type { Decision, Operation, Plan, Step } from "./operations.ts";

/** Collects a plan: ids ascend, and a step may wait only for steps that are already there. */
export class PlanBuilder {
  readonly #steps: Step[] = [];
  readonly #decisions: Decision[] = [];
  readonly #warnings: string[] = [];

  /** @returns the step's id */
  step(operation: Operation, after: readonly number[] = []): number {
    const id = this.#steps.length + 1;
    this.#steps.push({ id, after: [...new Set(after)].sort((a, b) => a - b), operation });
    return id;
  }

  decide(decision: Omit<Decision, "changes"> & Partial<Pick<Decision, "changes">>): void {
    this.#decisions.push({ changes: [], ...decision });
  }

  warn(text: string): void {
    this.#warnings.push(text);
  }

  get plan(): Plan {
    return { steps: this.#steps, decisions: this.#decisions, warnings: this.#warnings };
  }
}
