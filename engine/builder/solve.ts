/** Carries out a plan: stages beside each other, a step's result taken from the cache where its key is known. */
import type { Images } from "../images/images.ts";
import type { Lease } from "../images/leases.ts";
import type { Layer } from "../images/types.ts";
import { digestOf, type StepCache, type StepRecord, stepKey } from "./cache.ts";
import type { CacheImports } from "./caches/import.ts";
import type { Range } from "./dockerfile/position.ts";
import { reasonsFor } from "./explain.ts";
import { keepFailed } from "./failed.ts";
import { Limiter } from "./limiter.ts";
import { performStep } from "./perform.ts";
import type { BuildPlan, StagePlan, Step, TreeSource } from "./plan/types.ts";
import { type Snapshot, StoredSnapshot } from "./snapshot.ts";
import { prepareCopy } from "./steps/copy.ts";
import { prepareRun } from "./steps/run.ts";
import type { Chain, Prepared, StepTools } from "./steps/types.ts";
import { prepareWorkdir } from "./steps/workdir.ts";
import type { BuildEvent, BuildProgress, StepInfo } from "./types.ts";

/** What a step made: its layer may still be on its way into the store. */
export interface StepOutcome {
  readonly snapshot: Snapshot;
  readonly created: string; // RFC 3339
}

export interface SolverDeps {
  readonly images: Images;
  readonly cache: StepCache;
  /** Steps that run at this moment, by key: two builds that need the same one share it. */
  readonly running: Map<string, Promise<StepOutcome>>;
  readonly lease: Lease;
  readonly tools: StepTools;
  readonly progress: BuildProgress;
  readonly explain: boolean;
  /** Results of other machines. */
  readonly imports: CacheImports | undefined;
  readonly keepFailed: boolean;
  /** Tells where an error comes from. */
  failed(error: unknown, step: Step): unknown;
}

/** A stage's layers, and when each of its own steps was done. */
interface StageOutcome {
  readonly chain: Chain;
  readonly created: readonly string[];
}

/** What a build gives: all layers are in the store. */
export interface Solved {
  readonly layers: readonly Layer[]; // bottom first
  readonly created: readonly string[];
  /** Of every step that the build needed. */
  readonly records: readonly StepRecord[];
}

/** Steps of one build that run at the same time. */
const PARALLEL = 8;

export class Solver {
  readonly #deps: SolverDeps;
  readonly #stages = new Map<StagePlan, Promise<StageOutcome>>();
  readonly #limiter = new Limiter(PARALLEL);
  readonly #instructions = new Map<Step, number>();
  /** What goes on besides the steps: layers being stored. */
  readonly #background: Promise<unknown>[] = [];
  readonly #records = new Map<string, StepRecord>();
  #started = 0;

  constructor(deps: SolverDeps) {
    this.#deps = deps;
  }

  /** @throws whatever a step or the storing of its layer throws; nothing goes on afterwards */
  async solve(plan: BuildPlan): Promise<Solved> {
    const instructions = plan.stages.flatMap(({ name, instructions: own }) =>
      own.map((each) => ({ ...each, stage: name })),
    );
    for (const [index, { step }] of instructions.entries()) {
      if (step !== undefined) this.#instructions.set(step, index);
    }
    this.#deps.progress({
      kind: "plan",
      instructions: instructions.map(({ text, stage }) => ({ text, stage })),
    });
    try {
      // All begin at once; each waits for what it needs when it needs it.
      await Promise.all(plan.stages.map((stage) => this.#stage(stage)));
      await Promise.all(this.#background);
      const { chain, created } = await this.#stage(plan.target);
      const layers = await Promise.all(chain.map((snapshot) => snapshot.layer()));
      return { layers, created, records: [...this.#records.values()] };
    } finally {
      await Promise.allSettled([...this.#stages.values(), ...this.#background]);
    }
  }

  /** The layers of a tree that files are taken from: directories that stay. Top first. */
  async directories(source: TreeSource): Promise<string[]> {
    const { images } = this.#deps;
    const chain = source.kind === "stage" ? (await this.#stage(source.stage)).chain : this.#baseChain(source);
    const layers = await Promise.all(chain.map((snapshot) => snapshot.layer()));
    return layers.map(({ diffId }) => images.layerDir(diffId)).reverse();
  }

  /** The stage's result; it is made once. */
  #stage(stage: StagePlan): Promise<StageOutcome> {
    const known = this.#stages.get(stage);
    if (known !== undefined) return known;
    const made = this.#make(stage);
    // Whoever waits for it sees the failure; nobody waiting is no crash.
    made.catch(() => {});
    this.#stages.set(stage, made);
    return made;
  }

  #baseChain(source: TreeSource): Chain {
    if (source.kind !== "image") return [];
    const { images, lease } = this.#deps;
    return source.image.config.rootfs.diff_ids.map((diffId) => {
      lease.hold(diffId);
      return new StoredSnapshot(diffId, { diffId, size: 0 }, images.layerDir(diffId));
    });
  }

  async #make(stage: StagePlan): Promise<StageOutcome> {
    const { base } = stage;
    let { chain, created } = await this.#below(stage, base);
    for (const step of stage.steps) {
      const outcome = await this.#step(stage, step, chain).catch((error: unknown) => {
        throw this.#deps.failed(error, step);
      });
      chain = [...chain, outcome.snapshot];
      created = [...created, outcome.created];
    }
    return { chain, created };
  }

  /** What a stage stands on; a directory that takes an image's place is copied into a layer. */
  async #below(stage: StagePlan, base: TreeSource): Promise<StageOutcome> {
    if (base.kind === "stage") return this.#stage(base.stage);
    if (base.kind !== "named") return { chain: this.#baseChain(base), created: [] };
    const { snapshot, created } = await this.#step(stage, contextStep(base, stage.range), []);
    return { chain: [snapshot], created: [created] };
  }

  async #step(stage: StagePlan, step: Step, chain: Chain): Promise<StepOutcome> {
    const { tools, cache, running } = this.#deps;
    tools.signal.throwIfAborted();
    const from = performance.now();
    const prepared = await prepare(step, tools);
    const base = digestOf(chain.map(({ id }) => id));
    const inputs = prepared.independent ? prepared.inputs : { ...prepared.inputs, base };
    const key = stepKey(step.kind, inputs);
    const info = this.#info(stage, step);
    const tell = (state: "start" | "cached" | "done" | "error", more: StepExtras = {}): void =>
      this.#deps.progress({ kind: "step", step: info, state, ms: performance.now() - from, ...more });
    if (!step.noCache) await this.#import(key);
    const found = step.noCache ? undefined : this.#known(key);
    // Without waiting in between, so that of two equal steps the second finds the first.
    const known = found instanceof Promise ? await found : found;
    if (known !== undefined) {
      tell("cached", { result: known.snapshot.id });
      return known;
    }
    const place = digestOf([stage.name, step.title.replace(/^\[[^\]]*\] /, "")]);
    tell("start", this.#deps.explain ? { reasons: await reasonsFor(cache, place, prepared, inputs) } : {});
    const work = this.#limiter.run(() => this.#perform(step, prepared, chain, info, { key, inputs, place }));
    work.catch(() => {});
    running.set(key, work);
    try {
      const outcome = await work;
      tell("done", { result: outcome.snapshot.id });
      return outcome;
    } catch (error) {
      tell("error");
      throw error;
    } finally {
      running.delete(key);
    }
  }

  #info(stage: StagePlan, step: Step): StepInfo {
    return {
      id: ++this.#started,
      title: step.title,
      stage: stage.name,
      line: step.range.start.line,
      instruction: this.#instructions.get(step) ?? 0,
    };
  }

  async #import(key: string): Promise<void> {
    const { imports, cache } = this.#deps;
    if (imports !== undefined && cache.get(key) === undefined) await imports.take(key);
  }

  /** What the cache has, or what another stage or build is making at this moment. */
  #known(key: string): StepOutcome | Promise<StepOutcome | undefined> | undefined {
    const { cache, running, lease, images } = this.#deps;
    const record = cache.get(key);
    if (record !== undefined) {
      const { id, diffId, size, created } = record;
      this.#records.set(key, record);
      lease.hold(diffId);
      this.#background.push(cache.use(record));
      return { snapshot: new StoredSnapshot(id, { diffId, size }, images.layerDir(diffId)), created };
    }
    return running.get(key)?.then(
      (outcome) => {
        // The build that makes it holds it until it is stored.
        this.#background.push(outcome.snapshot.layer().then(({ diffId }) => lease.hold(diffId)));
        return outcome;
      },
      () => undefined,
    );
  }

  async #perform(
    step: Step,
    prepared: Prepared,
    chain: Chain,
    info: StepInfo,
    { key, inputs, place }: Pick<StepRecord, "key" | "inputs" | "place">,
  ): Promise<StepOutcome> {
    const { cache, progress } = this.#deps;
    const earlier = await this.#earlier(prepared, place, inputs);
    const output = (stream: "stdout" | "stderr", data: Uint8Array): void =>
      progress({ kind: "log", step: info, stream, data });
    const keep = this.#deps.keepFailed && step.kind === "run" ? keepFailed(step, this.#deps) : undefined;
    const snapshot = await performStep(this.#deps, prepared, chain, output, earlier, keep);
    const now = Date.now();
    const created = new Date(now).toISOString();
    const record = { key, inputs, place, created, id: snapshot.id, title: step.title, usedAt: now, uses: 1 };
    const stored = snapshot.layer().then((layer) => {
      const whole = { ...record, ...layer };
      this.#records.set(key, whole);
      return cache.put(whole, prepared.manifest);
    });
    stored.catch(() => {});
    this.#background.push(stored);
    return { snapshot, created };
  }

  async #earlier(
    prepared: Prepared,
    place: string,
    inputs: StepRecord["inputs"],
  ): Promise<Parameters<Prepared["perform"]>[2]> {
    const { cache, images, lease } = this.#deps;
    if (prepared.manifest === undefined) return undefined;
    const record = cache.latest(place);
    if (record === undefined || cache.get(record.key) === undefined) return undefined;
    if (record.inputs["target"] !== inputs["target"] || record.inputs["base"] !== inputs["base"])
      return undefined;
    lease.hold(record.diffId);
    const manifest = await cache.manifest(record.key);
    return manifest && { directory: images.layerDir(record.diffId), manifest };
  }
}

function contextStep(from: Extract<TreeSource, { kind: "named" }>, range: Range): Step {
  return {
    kind: "copy",
    title: `[context ${from.name}] load files`,
    range,
    historyIndex: 0,
    noCache: false,
    add: false,
    items: [{ kind: "path", from, path: "/", include: undefined, required: true, unpack: false }],
    target: "/",
    chown: undefined,
    chmod: undefined,
    link: false,
    exclude: [],
  };
}

type StepExtras = Partial<Pick<Extract<BuildEvent, { kind: "step" }>, "reasons" | "result">>;

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
