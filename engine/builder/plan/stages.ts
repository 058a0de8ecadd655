/** Dockerfile → build plan: which stages the target needs, in which order, and what each does. */
import { familiar, parseReference, withDefaultTag } from "../../images/reference.ts";
import type { Command, StageText } from "../dockerfile/commands.ts";
import { type Instructions, readCommand, readInstructions } from "../dockerfile/instructions.ts";
import { Linter, parseCheckOptions } from "../dockerfile/lint.ts";
import { parseMount } from "../dockerfile/mounts.ts";
import { type Dockerfile, parse } from "../dockerfile/parse.ts";
import { DockerfileError, locate, located } from "../dockerfile/position.ts";
import { didYouMean, trim } from "../dockerfile/text.ts";
import { expand, NO_ENVIRONMENT } from "../dockerfile/words.ts";
import {
  automaticArguments,
  globalArguments,
  parsePlatform,
  proxyVariables,
  sourceDateEpoch,
} from "./arguments.ts";
import {
  checkCasing,
  checkDefaultBases,
  checkFromPlatform,
  checkFromVariables,
  checkInstruction,
  checkStageNames,
} from "./checks.ts";
import type { PlanContext, PlanOptions, PlanSources } from "./context.ts";
import { dispatchCommand } from "./dispatch.ts";
import { Draft } from "./draft.ts";
import { resolveBase } from "./resolve.ts";
import { reachable, type StageCommand, StageState, Stages } from "./state.ts";
import type { BuildPlan, StagePlan } from "./types.ts";

/**
 * @param linter collects warnings; those found before an error are in it too
 * @throws {DockerfileError} with the place of what is wrong
 */
export async function planBuild(
  source: string,
  options: PlanOptions,
  sources: PlanSources,
  linter: Linter,
): Promise<BuildPlan> {
  if (source === "") throw new DockerfileError("the Dockerfile cannot be empty");
  const file = parse(source);
  for (const range of file.emptyContinuations) linter.report("NoEmptyContinuation", range, []);
  const instructions = readInstructions(file, (each) => checkInstruction(each, linter));
  checkStageNames(instructions.stages, linter);
  checkCasing(instructions.stages, linter);
  const context = planContext(file, instructions, options, sources, linter);
  const stages = await nameStages(instructions, context);
  const target = targetOf(stages, options.target);
  connectStages(stages, context);
  const needed = await resolveStages(stages, target, context);
  for (const stage of stages.all) {
    if (!needed.has(stage) || stage.planned) continue;
    // Files are taken from a directory itself; it becomes a layer only where a stage stands on it.
    const isBase = stage === target || stages.all.some((each) => needed.has(each) && each.parent === stage);
    if (stage.replaced && !isBase) stage.planned = true;
    else planStage(stage, context);
  }
  addLabels(target, options);
  linter.finish();
  const planned = stages.all.filter((stage) => needed.has(stage) && stage.plan !== undefined);
  return { target: target.plan!, stages: planned.map(({ plan }) => plan!), epoch: context.epoch };
}

/** The `# check=` directive's options. */
export function linterFor(source: string): Linter {
  try {
    const value = parse(source).directives.find(({ name }) => name === "check")?.value ?? "";
    return new Linter(parseCheckOptions(value));
  } catch (error) {
    if (error instanceof DockerfileError && error.message.includes("check option")) throw error;
    return new Linter();
  }
}

function planContext(
  file: Dockerfile,
  instructions: Instructions,
  options: PlanOptions,
  sources: PlanSources,
  linter: Linter,
): PlanContext {
  const { escapeToken } = file;
  const last = instructions.stages.at(-1)!.name;
  const automatic = automaticArguments(
    options.platform,
    options.platform,
    options.target || last,
    options.args,
  );
  checkDefaultBases(instructions.stages, automatic, instructions.globalArguments, escapeToken, linter);
  const globals = globalArguments(automatic, instructions.globalArguments, options.args, escapeToken);
  const epochText = options.args.get("SOURCE_DATE_EPOCH") ?? globals.get("SOURCE_DATE_EPOCH");
  const epochStage = instructions.stages.find(({ name }) => name !== "" && name === epochText);
  if (epochStage !== undefined) refuseEpochStage(epochStage);
  const epoch = sourceDateEpoch(epochText);
  return { options, sources, linter, escapeToken, globals, epoch, proxies: proxyVariables(options.args) };
}

/** The epoch may come from a stage that is one ADD of a dated source; only its plain form is read here. */
function refuseEpochStage(stage: StageText): never {
  const other = stage.commands.find(({ kind }) => kind !== "add");
  const why =
    other === undefined
      ? "taking the time of a stage's source is not supported"
      : `unsupported ${other.node.name} instruction`;
  throw new DockerfileError(
    `SOURCE_DATE_EPOCH stage does not meet source-only requirements: ${why}`,
    stage.range,
  );
}

async function nameStages(
  { stages: texts, globalArguments: commands }: Instructions,
  context: PlanContext,
): Promise<Stages> {
  const { globals, linter, escapeToken, options } = context;
  const declared = new Set([
    ...globals.keys(),
    ...commands.flatMap((each) => each.arguments.map(({ key }) => key)),
  ]);
  const stages = new Stages();
  for (const [index, text] of texts.entries()) {
    const made = located(text.range, () => expand(text.base, globals, { escape: escapeToken }));
    checkFromVariables(text, made, declared, linter);
    if (made.text === "")
      throw new DockerfileError(`base name (${text.base}) should not be blank`, text.range);
    const stage = new StageState(
      made.text,
      text.name,
      text.range,
      text.node,
      false,
      text.name || `stage-${index}`,
    );
    stage.noCache = options.noCache === "all" || options.noCache.includes(text.name);
    stage.commands = text.commands.map((command) => ({ command, sources: [], onBuild: false }));
    if (text.platform !== undefined) stage.platform = platformOf(text, declared, context);
    const named = text.name === "" ? undefined : await context.sources.namedContext(text.name);
    if (named !== undefined) {
      stage.replaced = true;
      stage.commands = [];
    }
    stages.add(stage);
    const fromImage = stage.base !== "scratch" && stage.parent === undefined;
    const writing = text.commands.filter(
      ({ kind }) => kind === "add" || kind === "copy" || kind === "run" || kind === "workdir",
    );
    stage.stepTotal = writing.length + (fromImage ? 1 : 0);
  }
  return stages;
}

function platformOf(
  text: StageText,
  declared: ReadonlySet<string>,
  context: PlanContext,
): StageState["platform"] {
  const { globals, linter, escapeToken, options } = context;
  const made = located(text.range, () => expand(text.platform!, globals, { escape: escapeToken }));
  checkFromVariables(text, made, declared, linter);
  checkFromPlatform(text, made, globals, linter);
  const nearest = [...made.unmatched]
    .map((name) => didYouMean(name, [...globals.keys()], true))
    .find((hint) => hint !== "");
  if (made.text === "") {
    throw new DockerfileError(
      `empty platform value from expression ${text.platform}${nearest ?? ""}`,
      text.range,
    );
  }
  try {
    return parsePlatform(made.text, options.platform);
  } catch (cause) {
    throw new DockerfileError(
      `failed to parse platform ${text.platform}: ${(cause as Error).message}`,
      text.range,
      { cause },
    );
  }
}

function targetOf(stages: Stages, name: string): StageState {
  if (name === "") return stages.all.at(-1)!;
  const stage = stages.named(name);
  if (stage !== undefined) return stage;
  throw new DockerfileError(
    `target stage "${name}" could not be found${didYouMean(name, stages.names, true)}`,
  );
}

/** Finds what COPY --from and mounts name; what is no stage is an image or context. */
function connectStages(stages: Stages, context: PlanContext): void {
  // The list grows by the images and contexts that are found; they have no commands.
  for (const stage of stages.all) {
    stage.commands = stage.commands.map(({ command }) => connect(command, stage, stages, context, false));
  }
  refuseCircles(stages);
  if (stages.all.length === 1) stages.all[0]!.title = "";
}

function connect(
  command: Command,
  stage: StageState,
  stages: Stages,
  context: PlanContext,
  onBuild: boolean,
): StageCommand {
  const sources = located(command.node.range, () => sourcesOf(command, stages, context));
  for (const source of sources) {
    stage.needs.set(source, command);
    if (source.external && !stages.all.includes(source)) stages.add(source);
  }
  return { command, sources, onBuild };
}

function sourcesOf(command: Command, stages: Stages, { escapeToken }: PlanContext): StageState[] {
  const external = (name: string): StageState =>
    new StageState(name, "", command.node.range, undefined, true, "");
  if (command.kind === "run") {
    return command.mounts.map((text) => {
      const from = parseFrom(text);
      return stages.named(from) ?? external(from);
    });
  }
  if (command.kind !== "copy" || command.from === undefined) return [];
  const { from } = command;
  if (expand(from, NO_ENVIRONMENT, { escape: escapeToken }).text !== from) {
    throw new DockerfileError(
      "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
    );
  }
  if (!/^[+-]?\d+$/.test(from)) return [stages.named(from) ?? external(from)];
  const stage = stages.all[Number(from)];
  if (stage === undefined) throw new DockerfileError(`invalid stage index ${Number(from)}`);
  return [stage];
}

/** What a mount takes from, read before its variables are known; the rest of it may be wrong still. */
function parseFrom(text: string): string {
  const field = text.split(",").find((each) => each.toLowerCase().startsWith("from="));
  if (field === undefined) return "scratch";
  try {
    return parseMount(text).from || "scratch";
  } catch {
    return field.slice("from=".length) || "scratch";
  }
}

function refuseCircles(stages: Stages): void {
  const done = new Set<StageState>();
  const path = new Set<StageState>();
  const visit = (stage: StageState, root: StageState): void => {
    if (done.has(stage)) return;
    done.add(stage);
    path.add(stage);
    for (const [needed, command] of stage.needs) {
      if (path.has(needed)) {
        throw new DockerfileError(`circular dependency detected on stage: ${root.title}`, command.node.range);
      }
      visit(needed, root);
    }
    path.delete(stage);
  };
  for (const stage of stages.all) visit(stage, stage);
}

/** Looks up base images until ONBUILD triggers bring no new ones. */
async function resolveStages(
  stages: Stages,
  target: StageState,
  context: PlanContext,
): Promise<Set<StageState>> {
  for (;;) {
    const needed = context.options.allStages ? new Set(stages.all) : reachable(target);
    await Promise.all(stages.all.map((stage) => resolveBase(stage, needed.has(stage), context, stages)));
    let more = false;
    for (const stage of needed) {
      if (stage.triggersTaken || stage.planned) continue;
      stage.triggersTaken = true;
      if (takeTriggers(stage, stages, context)) more = true;
    }
    if (!more) return needed;
  }
}

/** @returns whether a trigger takes files from a stage or image that was not needed before */
function takeTriggers(stage: StageState, stages: Stages, context: PlanContext): boolean {
  const own = stage.draft?.config.OnBuild ?? [];
  if (stage.draft !== undefined) delete stage.draft.config.OnBuild;
  const inherited = (stage.parent?.commands ?? []).flatMap(({ command }) =>
    command.kind === "onbuild" ? [command.trigger] : [],
  );
  const commands = [...own, ...inherited].map((trigger) => {
    try {
      const [node, ...others] = parse(trigger).nodes;
      if (node === undefined || others.length > 0)
        throw new DockerfileError("onbuild trigger should be a single expression");
      const command = readCommand({ ...node, range: stage.range });
      return connect(command, stage, stages, context, true);
    } catch (error) {
      throw locate(error, stage.range);
    }
  });
  stage.commands.unshift(...commands);
  stage.stepTotal += commands.length;
  return commands.some(({ sources }) => sources.length > 0);
}

function planStage(stage: StageState, context: PlanContext): void {
  stage.planned = true;
  const { parent } = stage;
  if (parent !== undefined) {
    stage.draft = Draft.fromStage(parent.draft!);
    stage.workdirSet = parent.workdirSet;
    stage.arguments = [...stage.arguments, ...parent.arguments];
    for (const [name, value] of parent.env) stage.env.set(name, value);
  }
  const draft = (stage.draft ??= Draft.empty(context.options.platform));
  draft.ensurePath();
  for (const entry of draft.config.Env ?? []) {
    const equals = entry.indexOf("=");
    stage.setVariable(equals < 0 ? entry : entry.slice(0, equals), equals < 0 ? "" : entry.slice(equals + 1));
  }
  const instructions: StagePlan["instructions"][number][] = [
    { text: trim(stage.node?.original ?? ""), step: undefined },
  ];
  for (const command of stage.commands) {
    try {
      const before = stage.steps.length;
      dispatchCommand(stage, command, context);
      instructions.push({ text: trim(command.command.node.original), step: stage.steps[before] });
    } catch (error) {
      throw locate(asDockerfileError(error), command.command.node.range);
    }
  }
  const plan: StagePlan = {
    name: stage.title,
    base: parent === undefined ? stage.source : { kind: "stage", stage: parent.plan! },
    steps: stage.steps,
    image: draft.finish(),
    instructions,
    range: stage.range,
  };
  stage.plan = plan;
  if (stage.source.kind !== "named" || !stage.replaced) stage.source = { kind: "stage", stage: plan };
}

/** Checks that other parts make (signals, modes, names) are about the Dockerfile too when they fail here. */
function asDockerfileError(error: unknown): unknown {
  if (error instanceof DockerfileError || !(error instanceof Error) || error.name !== "EngineError")
    return error;
  return new DockerfileError(error.message, undefined, { cause: error });
}

function addLabels(target: StageState, { labels }: PlanOptions): void {
  if (Object.keys(labels).length === 0 || target.draft === undefined) return;
  // Clients in Go send them in another order each time; the image's id must not change with it.
  const added = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  target.draft.config.Labels = { ...target.draft.config.Labels, ...Object.fromEntries(added) };
}

/** The name a context is looked up by: as people write it, without `:latest`. */
export function contextName(text: string): string {
  return familiar(withDefaultTag(parseReference(text))).replace(/:latest$/, "");
}
