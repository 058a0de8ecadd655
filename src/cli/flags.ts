/**
 * Flags as commands declare them: oclif's definitions, made without loading oclif, which is 20 ms of a start. `read.ts`
 * reads them; what it does not take goes to oclif's own parser.
 */
import type * as oclif from "@oclif/core/flags";

export const string = option(async (input: string) => input) as unknown as typeof oclif.string;

export const integer = option(parseInteger) as unknown as typeof oclif.integer;

export const boolean = ((options: Definition = {}) => ({
  parse: async (input: boolean) => input,
  ...options,
  allowNo: Boolean(options["allowNo"]),
  type: "boolean",
})) as unknown as typeof oclif.boolean;

/** @throws {Error} in oclif's words, which the user gets after the flag's name */
export async function parseInteger(
  input: string,
  _: unknown,
  { min, max }: { readonly min?: number; readonly max?: number },
): Promise<number> {
  if (!/^-?\d+$/.test(input)) throw new Error(`Expected an integer but received: ${input}`);
  const number = Number.parseInt(input, 10);
  if (min !== undefined && number < min)
    throw new Error(`Expected an integer greater than or equal to ${min} but received: ${input}`);
  if (max !== undefined && number > max)
    throw new Error(`Expected an integer less than or equal to ${max} but received: ${input}`);
  return number;
}

type Definition = Readonly<Record<string, unknown>>;

function option(parse: unknown): (options?: Definition) => Definition {
  return (options = {}) => ({
    parse,
    ...options,
    input: [],
    multiple: Boolean(options["multiple"]),
    type: "option",
  });
}
