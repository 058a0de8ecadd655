/** oclif's parser, for command lines that our own reader does not take: it says what is wrong with them. */
import { parse } from "@oclif/core/parser";
import { usageError } from "./parse.ts";
import type { Definitions, Words } from "./read.ts";

/**
 * @param command words of the command, for the hint
 * @throws {AppError} USAGE
 */
export async function parseWords(
  argv: readonly string[],
  { flags, args, strict }: Definitions,
  command: string,
): Promise<Words> {
  try {
    const parsed = await parse([...argv], { flags, args, strict });
    // Not `parsed.argv`: oclif sorts that by first occurrence, which moves repeated words together.
    const words = parsed.raw.flatMap((token) => (token.type === "arg" ? [token.input] : []));
    return { flags: parsed.flags, args: parsed.args, words };
  } catch (error) {
    throw usageError(error as Error, command, flags);
  }
}
