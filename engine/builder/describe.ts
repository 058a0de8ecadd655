/** What a Dockerfile offers, for clients that ask before they build: its targets, and what one of them can be given. */
import type { Argument, Command, StageText } from "./dockerfile/commands.ts";
import { readInstructions } from "./dockerfile/instructions.ts";
import { parseMount } from "./dockerfile/mounts.ts";
import { type Node, parse } from "./dockerfile/parse.ts";
import { DockerfileError, type Range } from "./dockerfile/position.ts";
import { expand } from "./dockerfile/words.ts";

/** As BuildKit's clients read it. */
export interface Location {
  readonly ranges: readonly {
    readonly start: { readonly line: number };
    readonly end: { readonly line: number };
  }[];
}

export interface TargetInfo {
  readonly name?: string;
  readonly default?: true;
  readonly description?: string;
  readonly base: string;
  readonly platform?: string;
  readonly location: Location;
}

export interface ArgumentInfo {
  readonly name: string;
  readonly description?: string;
  readonly value?: string;
  readonly location: Location;
}

export interface MountInfo {
  readonly name: string;
  readonly required?: true;
  readonly location: Location;
}

export interface Outline {
  readonly name?: string;
  readonly description?: string;
  readonly args: readonly ArgumentInfo[];
  readonly secrets: readonly MountInfo[];
  readonly ssh: readonly MountInfo[];
}

export function locationOf({ start, end }: Range): Location {
  return { ranges: [{ start: { line: start.line }, end: { line: Math.max(start.line, end.line) } }] };
}

/** @throws {DockerfileError} */
export function describeTargets(text: string): TargetInfo[] {
  const { stages } = readInstructions(parse(text));
  return stages.map(({ name, base, platform, node, range }, index) => ({
    ...(name !== "" && { name }),
    ...(index === stages.length - 1 && { default: true }),
    ...describedBy(node, name),
    base,
    ...(platform !== undefined && { platform }),
    location: locationOf(range),
  }));
}

/**
 * Arguments, secrets and agents of the stages that a target needs.
 *
 * @param given build arguments, whose values go before defaults
 * @throws {DockerfileError}
 */
export function describeOutline(
  text: string,
  target: string,
  given: Readonly<Record<string, string>>,
): Outline {
  const file = parse(text);
  const { stages, globalArguments } = readInstructions(file);
  const wanted = target === "" ? stages.at(-1)! : named(stages, target);
  if (wanted === undefined) throw new DockerfileError(`target stage "${target}" could not be found`);
  const read = (value: string, env: ReadonlyMap<string, string>): string =>
    expand(value, env, { escape: file.escapeToken }).text;
  const globals = new Map<string, ArgumentInfo>();
  const environment = new Map<string, string>();
  const infoOf = (argument: Argument, node: Node, env: ReadonlyMap<string, string>): ArgumentInfo => {
    const { key, value } = argument;
    const chosen = given[key] ?? (value === undefined ? undefined : read(value, env));
    return {
      name: key,
      ...describedBy(node, key),
      ...(chosen !== undefined && { value: chosen }),
      location: locationOf(node.range),
    };
  };
  for (const { arguments: list, node } of globalArguments) {
    for (const argument of list) {
      const info = infoOf(argument, node, environment);
      globals.set(info.name, info);
      if (info.value !== undefined) environment.set(info.name, info.value);
    }
  }
  const args = new Map<string, ArgumentInfo>();
  const mounts = { secret: new Map<string, MountInfo>(), ssh: new Map<string, MountInfo>() };
  const environments = new Map<StageText, Map<string, string>>();
  for (const stage of reachable(stages, wanted)) {
    const parent = named(stages.slice(0, stages.indexOf(stage)), stage.base);
    const env = new Map(parent && environments.get(parent));
    environments.set(stage, env);
    for (const command of stage.commands) {
      if (command.kind === "env") for (const { key, value } of command.pairs) env.set(key, read(value, env));
      if (command.kind === "arg") {
        for (const argument of command.arguments) {
          const own = infoOf(argument, command.node, env);
          const info = own.value === undefined ? (globals.get(own.name) ?? own) : own;
          args.set(info.name, info);
          if (info.value !== undefined) env.set(info.name, info.value);
        }
      }
      if (command.kind === "run") addMounts(command, mounts);
    }
  }
  return {
    ...(wanted.name !== "" && { name: wanted.name }),
    ...describedBy(wanted.node, wanted.name),
    args: [...args.values()],
    secrets: [...mounts.secret.values()],
    ssh: [...mounts.ssh.values()],
  };
}

function addMounts(
  command: Extract<Command, { kind: "run" }>,
  into: Readonly<Record<"secret" | "ssh", Map<string, MountInfo>>>,
): void {
  for (const text of command.mounts) {
    const { type, id, target, required } = parseMount(text);
    if (type !== "secret" && type !== "ssh") continue;
    const name = id || (type === "ssh" ? "default" : target.slice(target.lastIndexOf("/") + 1));
    const needed = required || into[type].get(name)?.required === true;
    into[type].set(name, {
      name,
      ...(needed && { required: true }),
      location: locationOf(command.node.range),
    });
  }
}

/** A comment directly above, which begins with the name. */
function describedBy(node: Node | undefined, name: string): { readonly description?: string } {
  const last = node?.comments.at(-1) ?? "";
  return name !== "" && last.startsWith(`${name} `) ? { description: last.slice(name.length + 1) } : {};
}

function named(stages: readonly StageText[], name: string): StageText | undefined {
  return stages.findLast((stage) => stage.name.toLowerCase() === name.toLowerCase());
}

/** In the order of the file. */
function reachable(stages: readonly StageText[], from: StageText): StageText[] {
  const found = new Set<StageText>();
  const visit = (stage: StageText | undefined): void => {
    if (stage === undefined || found.has(stage)) return;
    found.add(stage);
    const before = stages.slice(0, stages.indexOf(stage));
    const find = (name: string): StageText | undefined =>
      /^\d+$/.test(name) ? before[Number(name)] : named(before, name);
    visit(named(before, stage.base));
    for (const command of stage.commands) {
      if (command.kind === "copy" && command.from !== undefined) visit(find(command.from));
      if (command.kind === "run") for (const text of command.mounts) visit(find(parseMount(text).from));
    }
  };
  visit(from);
  return stages.filter((stage) => found.has(stage));
}
