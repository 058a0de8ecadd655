/** Arguments as commands declare them: oclif's definitions, made without loading oclif. */
import type * as oclif from "@oclif/core/args";
import { parseInteger } from "./flags.ts";

export const string = arg(async (input: string) => input) as unknown as typeof oclif.string;

export const integer = arg(parseInteger) as unknown as typeof oclif.integer;

type Definition = Readonly<Record<string, unknown>>;

// oclif reads standard input for an argument that is not given, unless it is told not to.
function arg(parse: unknown): (options?: Definition) => Definition {
  return (options = {}) => ({ parse, ignoreStdin: true, ...options, input: [], type: "option" });
}
