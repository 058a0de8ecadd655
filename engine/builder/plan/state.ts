import type { Platform } from "../../images/types.ts";
import type { Argument, Command } from "../dockerfile/commands.ts";
import type { Node } from "../dockerfile/parse.ts";
import type { Range } from "../dockerfile/position.ts";
import type { Draft } from "./draft.ts";
import type { StagePlan, Step, TreeSource } from "./types.ts";

export interface StageCommand {
  readonly command: Command;
  /** Where its files come from: one for COPY --from, one a mount for RUN. */
  readonly sources: readonly StageState[];
  readonly onBuild: boolean;
}

/** A stage while it is being planned, or an image or context that an instruction takes files from. */
export class StageState {
  readonly name: string; // "" where it has none
  readonly range: Range;
  readonly node: Node | undefined;
  /** Not a stage of the file: named by COPY --from or a mount only. */
  readonly external: boolean;
  base: string; // variables put in
  parent: StageState | undefined;
  platform: Platform | undefined;
  title: string;
  /** The stage's name was given as a named context, which takes its place. */
  replaced = false;
  readonly needs = new Map<StageState, Command>();
  commands: StageCommand[] = [];
  resolved = false;
  planned = false;
  triggersTaken = false;
  noCache = false;

  draft: Draft | undefined;
  source: TreeSource = { kind: "empty" };
  plan: StagePlan | undefined;
  readonly env = new Map<string, string>();
  arguments: Argument[] = [];
  workdirSet = false;
  readonly steps: Step[] = [];
  stepTotal = 0;
  stepIndex = 0;
  readonly last = new Map<"cmd" | "entrypoint" | "healthcheck", Range>();

  constructor(
    base: string,
    name: string,
    range: Range,
    node: Node | undefined,
    external: boolean,
    title: string,
  ) {
    this.base = base;
    this.name = name;
    this.range = range;
    this.node = node;
    this.external = external;
    this.title = title;
  }

  /** The variables of expansion and of RUN: the last one set comes last. */
  setVariable(name: string, value: string): void {
    this.env.delete(name);
    this.env.set(name, value);
  }

  /** `[web 2/5] COPY . .` */
  stepTitle(text: string, onBuild = false): string {
    if (this.stepTotal === 0) return text;
    this.stepIndex++;
    const width = String(this.stepTotal).length;
    const stage = this.title === "" ? "" : `${this.title} `;
    return `[${stage}${String(this.stepIndex).padStart(width)}/${this.stepTotal}] ${onBuild ? "ONBUILD " : ""}${text}`;
  }
}

/** All stages and what they take from, in order; names are looked up without regard to case. */
export class Stages {
  readonly all: StageState[] = [];
  readonly #byName = new Map<string, StageState>();

  add(stage: StageState): void {
    this.all.push(stage);
    if (!stage.replaced) stage.parent = this.#byName.get(stage.base);
    if (stage.name !== "") this.#byName.set(stage.name.toLowerCase(), stage);
  }

  named(name: string): StageState | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  get names(): string[] {
    return this.all.map(({ title }) => title).filter((title) => title !== "");
  }
}

/** A stage, what it builds on and all it takes files from. */
export function reachable(from: StageState, found = new Set<StageState>()): Set<StageState> {
  if (found.has(from)) return found;
  found.add(from);
  if (from.parent !== undefined) reachable(from.parent, found);
  for (const needed of from.needs.keys()) reachable(needed, found);
  return found;
}
