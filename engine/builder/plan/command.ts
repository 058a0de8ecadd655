import { posix } from "node:path";
import type { Command, CommandKind } from "../dockerfile/commands.ts";
import { trim } from "../dockerfile/text.ts";
import { type Environment, type ExpandOptions, expand } from "../dockerfile/words.ts";
import type { PlanContext } from "./context.ts";
import type { Draft } from "./draft.ts";
import type { StageCommand, StageState } from "./state.ts";

/** One command of a stage that is being planned. */
export interface Dispatch<K extends CommandKind = CommandKind> extends Omit<StageCommand, "command"> {
  readonly stage: StageState;
  readonly draft: Draft;
  readonly context: PlanContext;
  readonly command: Extract<Command, { kind: K }>;
  /** Puts variables into a word; unknown ones are reported. */
  word(text: string, options?: ExpandOptions): string;
  /** The same, cut at blanks. */
  words(text: string): readonly string[];
}

/** A path of the image, from the working directory. */
export function absolute(directory: string | undefined, path: string): string {
  return posix.resolve("/", directory ?? "/", path);
}

/** The instruction as progress shows it: variables put in, its name in capitals. */
export function titleText(
  variables: Environment,
  command: Command,
  context: PlanContext,
  options: ExpandOptions = {},
  more = "",
): string {
  const written = trim(command.node.original) + more;
  let text = written;
  try {
    text = expand(written, variables, { escape: context.escapeToken, ...options }).text;
  } catch {
    // An apostrophe in a RUN is no mistake; the line is shown as written.
  }
  return text.replace(/^\S+/, (name) => name.toUpperCase());
}
