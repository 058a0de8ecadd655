/** Carries out a plan: stages beside each other, a step's result taken from the cache where its key is known. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Images } from "../images/images.ts";
import type { Lease } from "../images/leases.ts";
import { digestOf, type StepCache, type StepRecord, stepKey } from "./cache.ts";
import { Limiter } from "./limiter.ts";
import type { BuildPlan, StagePlan, Step, TreeSource } from "./plan/types.ts";
import { prepareCopy } from "./steps/copy.ts";
import { prepareRun } from "./steps/run.ts";
import type { Chain, Prepared, StepTools, Target } from "./steps/types.ts";
import { prepareWorkdir } from "./steps/workdir.ts";
import type { BuildEvent, BuildProgress, StepInfo } from "./types.ts";

export interface SolverDeps {
  readonly images: Images;
  readonly cache: StepCache;
  /** Steps that run at this moment, by key: two builds that need the same one share it. */
  readonly running: Map<string, Promise<StepRecord>>;
  readonly lease: Lease;
  readonly tools: StepTools;
  readonly progress: BuildProgress;
  readonly explain: boolean;
  /** Tells where an error comes from. */
  failed(error: unknown, step: Step): unknown;
}

/** A stage's layers, and what each of its own steps made. */
export interface StageResult {
  readonly chain: Chain;
  readonly records: readonly StepRecord[];
}

/** Steps of one build that are prepared or run at the same time. */
const PARALLEL = 8;

export class Solver {
  readonly #deps: SolverDeps;
  readonly #stages = new Map<StagePlan, Promise<StageResult>>();
  readonly #limiter = new Limiter(PARALLEL);
  readonly #instructions = new Map<Step, number>();
  #started = 0;

  constructor(deps: SolverDeps) {
    this.#deps = deps;
  }

  async solve(plan: BuildPlan): Promise<StageResult> {
    const instructions = plan.stages.flatMap(({ name, instructions: own }) =>
      own.map((each) => ({ ...each, stage: name })),
    );
    for (const [index, { step }] of instructions.entries())
      if (step !== undefined) this.#instructions.set(step, index);
    this.#deps.progress({
      kind: "plan",
      instructions: instructions.map(({ text, stage }) => ({ text, stage })),
    });
    // All begin at once; each waits for what it needs when it needs it.
    const all = plan.stages.map((stage) => this.stage(stage));
    await Promise.all(all);
    return this.stage(plan.target);
  }

  /** The stage's result; it is made once. */
  stage(stage: StagePlan): Promise<StageResult> {
    const known = this.#stages.get(stage);
    if (known !== undefined) return known;
    const made = this.#make(stage);
    // Whoever waits for it sees the failure; nobody waiting is no crash.
    made.catch(() => {});
    this.#stages.set(stage, made);
    return made;
  }

  /** The layers of a tree that files are taken from. */
  async chain(source: TreeSource): Promise<Chain> {
    if (source.kind === "stage") return (await this.stage(source.stage)).chain;
    if (source.kind !== "image") return [];
    return source.image.config.rootfs.diff_ids;
  }

  async #make(stage: StagePlan): Promise<StageResult> {
    const { base } = stage;
    const below =
      base.kind === "stage" ? await this.stage(base.stage) : { chain: await this.chain(base), records: [] };
    this.#deps.lease.hold(...below.chain);
    let { chain } = below;
    const records = [...below.records];
    for (const step of stage.steps) {
      const record = await this.#step(stage, step, chain).catch((error: unknown) => {
        throw this.#deps.failed(error, step);
      });
      records.push(record);
      chain = [...chain, record.diffId];
    }
    return { chain, records };
  }

  async #step(stage: StagePlan, step: Step, chain: Chain): Promise<StepRecord> {
    const { cache, running, lease, tools } = this.#deps;
    tools.signal.throwIfAborted();
    const from = performance.now();
    const prepared = await prepare(step, tools);
    const inputs = prepared.independent ? prepared.inputs : { ...prepared.inputs, base: digestOf(chain) };
    const key = stepKey(step.kind, inputs);
    const info: StepInfo = {
      id: ++this.#started,
      title: step.title,
      stage: stage.name,
      line: step.range.start.line,
      instruction: this.#instructions.get(step) ?? 0,
    };
    const tell = (
      state: "start" | "cached" | "done" | "error",
      more: Partial<Extract<BuildEvent, { kind: "step" }>> = {},
    ): void =>
      this.#deps.progress({ kind: "step", step: info, state, ms: performance.now() - from, ...more });
    const found = step.noCache ? undefined : this.#known(key);
    // Without waiting in between, so that of two equal steps the second finds the first.
    const known = found instanceof Promise ? await found : found;
    if (known !== undefined) {
      lease.hold(known.diffId);
      await cache.use(known);
      tell("cached", { diffId: known.diffId });
      return known;
    }
    const place = digestOf([stage.name, step.title.replace(/^\[[^\]]*\] /, "")]);
    tell("start", this.#deps.explain ? { reasons: this.#reasons(place, inputs) } : {});
    const work = this.#limiter.run(() => this.#perform(prepared, chain, info));
    const recorded = work.then(async ({ diffId, size }) => {
      const now = Date.now();
      const record: StepRecord = {
        key,
        diffId,
        size,
        inputs,
        place,
        title: step.title,
        created: new Date(now).toISOString(),
        usedAt: now,
        uses: 1,
      };
      await cache.put(record);
      return record;
    });
    recorded.catch(() => {});
    running.set(key, recorded);
    try {
      const record = await recorded;
      tell("done", { diffId: record.diffId });
      return record;
    } catch (error) {
      tell("error");
      throw error;
    } finally {
      running.delete(key);
    }
  }

  /** What the cache has, or what another stage or build is making at this moment. */
  #known(key: string): StepRecord | Promise<StepRecord | undefined> | undefined {
    const { cache, running } = this.#deps;
    return cache.get(key) ?? running.get(key)?.catch(() => undefined);
  }

  async #perform(
    prepared: Prepared,
    chain: Chain,
    step: StepInfo,
  ): Promise<{ diffId: string; size: number }> {
    const { tools, images, lease, progress } = this.#deps;
    const target = await this.#target(prepared.independent ? [] : chain);
    await prepared.perform(target, (stream, data) => progress({ kind: "log", step, stream, data }));
    const identity = await images.identifyLayer(target.upper);
    // Held before it is there: a removal beside this build must not see it without an owner.
    lease.hold(identity.diffId);
    const layer = await images.adoptLayer(target.upper, identity);
    tools.signal.throwIfAborted();
    return layer;
  }

  async #target(chain: Chain): Promise<Target> {
    const { tools, images } = this.#deps;
    const directory = await tools.scratch();
    const upper = join(directory, `upper-${randomBytes(4).toString("hex")}`);
    const work = join(directory, "work");
    await mkdir(upper, { mode: 0o755 });
    await mkdir(work, { mode: 0o755 });
    const lowers = [...chain].reverse().map((diffId) => images.layerDir(diffId));
    const tree =
      lowers.length === 0
        ? { kind: "dir" as const, path: upper }
        : { kind: "overlay" as const, lowers, upper, work };
    return { upper, work, lowers, tree };
  }

  /** What differs from the last result of the same instruction. */
  #reasons(place: string, inputs: Readonly<Record<string, string>>): string[] {
    const before = this.#deps.cache.latest(place);
    if (before === undefined) return ["was not built before"];
    const names = new Set([...Object.keys(before.inputs), ...Object.keys(inputs)]);
    const reasons: string[] = [];
    for (const name of names) {
      if (before.inputs[name] === inputs[name]) continue;
      const what =
        before.inputs[name] === undefined ? "added" : inputs[name] === undefined ? "removed" : "changed";
      reasons.push(`${name} ${what}`);
    }
    return reasons.length > 0 ? reasons : ["the cached result is not used"];
  }
}

async function prepare(step: Step, tools: StepTools): Promise<Prepared> {
  switch (step.kind) {
    case "run":
      return prepareRun(step, tools);
    case "copy":
      return prepareCopy(step, tools);
    case "workdir":
      return prepareWorkdir(step, tools);
  }
}
