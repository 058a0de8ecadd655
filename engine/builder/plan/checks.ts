/** The lint rules that look at the file as a whole, and at each instruction as it is read. */
import { tryParseReference } from "../../images/reference.ts";
import type { Command, StageText } from "../dockerfile/commands.ts";
import type { Linter } from "../dockerfile/lint.ts";
import { suggest } from "../dockerfile/text.ts";
import { type Expansion, expand } from "../dockerfile/words.ts";
import { parseGitReference } from "../giturl.ts";
import type { IgnoreMatcher } from "../ignore.ts";
import { clean } from "../ignore.ts";
import { type GlobalArguments, globalArguments, parsePlatform } from "./arguments.ts";
import type { PlanContext } from "./context.ts";
import type { StageCommand, StageState } from "./state.ts";

const SECRET = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const NOT_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i;

/** What is said of an instruction as soon as it is read, so that it is said even when a later one is wrong. */
export function checkInstruction(each: StageText | Command, linter: Linter): void {
  const { node } = each;
  const comments = node.comments;
  const described = (instruction: string, keys: readonly string[]): void => {
    const last = comments.at(-1);
    if (last === undefined || keys.length === 0 || keys.includes(last.split(" ")[0]!)) return;
    linter.report("InvalidDefinitionDescription", node.range, [
      instruction,
      keys.length > 1 ? "<arg_key>" : keys[0]!,
    ]);
  };
  if ("commands" in each) {
    const [, as, name] = node.args.map(({ value }) => value);
    if (name !== undefined && as !== undefined) {
      if (name !== name.toLowerCase()) linter.report("StageNameCasing", node.range, [name], comments);
      if (casing(node.name) !== "mixed" && casing(node.name) !== casing(as))
        linter.report("FromAsCasing", node.range, [node.name, as], comments);
      described("FROM", [each.name]);
    }
  } else if (each.kind === "arg") {
    described(
      "ARG",
      each.arguments.map(({ key }) => key),
    );
  } else if (each.kind === "maintainer") linter.report("MaintainerDeprecated", node.range, [], comments);
}

function casing(word: string): "lower" | "upper" | "mixed" {
  if (word === word.toLowerCase()) return "lower";
  return word === word.toUpperCase() ? "upper" : "mixed";
}

export function checkStageNames(stages: readonly StageText[], linter: Linter): void {
  const seen = new Set<string>();
  for (const { name, range, node } of stages) {
    if (name === "") continue;
    if (name === "scratch" || name === "context")
      linter.report("ReservedStageName", range, [name], node.comments);
    if (seen.has(name)) linter.report("DuplicateStageName", range, [name], node.comments);
    seen.add(name);
  }
}

export function checkCasing(stages: readonly StageText[], linter: Linter): void {
  const nodes = stages.flatMap(({ node, commands }) => [node, ...commands.map((command) => command.node)]);
  const count = (kind: string): number => nodes.filter(({ name }) => casing(name) === kind).length;
  const wanted = count("lower") > count("upper") ? "lower" : "upper";
  for (const { name, range, comments } of nodes) {
    if (casing(name) !== wanted)
      linter.report("ConsistentInstructionCasing", range, [name, `${wanted}case`], comments);
  }
}

/** Whether base names are names at all when nobody gives build arguments. */
export function checkDefaultBases(
  stages: readonly StageText[],
  automatic: ReadonlyMap<string, string>,
  commands: GlobalArguments,
  escapeToken: string,
  linter: Linter,
): void {
  try {
    const values = globalArguments(automatic, commands, new Map(), escapeToken);
    for (const { base, range, node } of stages) {
      const { text } = expand(base, values, { escape: escapeToken });
      if (tryParseReference(text) === undefined)
        linter.report("InvalidDefaultArgInFrom", range, [base], node.comments);
    }
  } catch {
    // What cannot be expanded is an error of the build itself, which comes with its place.
  }
}

/** @param declared names that FROM may use */
export function checkFromVariables(
  stage: StageText,
  made: Expansion,
  declared: ReadonlySet<string>,
  linter: Linter,
): void {
  for (const name of [...made.unmatched].sort()) {
    if (declared.has(name)) continue;
    const nearest = suggest(name, [...declared]) ?? "";
    linter.report("UndefinedArgInFrom", stage.range, [name, nearest], stage.node.comments);
  }
}

export function checkFromPlatform(
  stage: StageText,
  made: Expansion,
  globals: ReadonlyMap<string, string>,
  linter: Linter,
): void {
  const { comments } = stage.node;
  if (made.matched.size === 1 && made.unmatched.size === 0 && made.matched.has("TARGETPLATFORM")) {
    if (made.text === globals.get("TARGETPLATFORM")) {
      linter.report("RedundantTargetPlatform", stage.range, [stage.platform!], comments);
    }
  }
  if (made.matched.size > 0 || made.unmatched.size > 0) return;
  try {
    const platform = parsePlatform(made.text, { os: "linux", architecture: "amd64" });
    if (stage.name.includes(platform.os) || stage.name.includes(platform.architecture)) return;
    linter.report("FromPlatformFlagConstDisallowed", stage.range, [made.text], comments);
  } catch {
    // Reported as an error where the platform is used.
  }
}

/** Variables that nothing set; an ARG without a value is known all the same. */
export function checkVariables(
  stage: StageState,
  { command }: Pick<StageCommand, "command">,
  unmatched: ReadonlySet<string>,
  { linter }: Pick<PlanContext, "linter">,
): void {
  for (const name of [...unmatched].sort()) {
    if (stage.arguments.some(({ key }) => key === name)) continue;
    if (name === "BUILDKIT_SBOM_SCAN_CONTEXT" || name === "BUILDKIT_SBOM_SCAN_STAGE") continue;
    const nearest = suggest(name, [...stage.env.keys()]) ?? "";
    linter.report("UndefinedVar", command.node.range, [name, nearest], command.node.comments);
  }
}

export function checkSecretName(
  instruction: "ARG" | "ENV",
  key: string,
  command: Command,
  linter: Linter,
): void {
  if (!SECRET.test(key) || NOT_SECRET.test(key)) return;
  linter.report("SecretsUsedInArgOrEnv", command.node.range, [instruction, key], command.node.comments);
}

/** Only without `!` patterns: what they show again is not known before the walk. */
export function checkCopiedPath(
  path: string,
  command: Command,
  matcher: IgnoreMatcher | undefined,
  linter: Linter,
): void {
  if (
    matcher === undefined ||
    matcher.isEmpty ||
    matcher.hasExclusions ||
    parseGitReference(path) !== undefined
  )
    return;
  const cleaned = clean(path);
  if ((cleaned === "." || cleaned === "/") && !matcher.hidesEverything) return;
  if (!matcher.ignores(cleaned)) return;
  const words: [string, string] = [command.kind === "add" ? "Add" : "Copy", cleaned];
  linter.report("CopyIgnoredFile", command.node.range, words, command.node.comments);
}
