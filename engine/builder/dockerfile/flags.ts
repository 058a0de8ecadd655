import { DockerfileError } from "./position.ts";
import type { Word } from "./split.ts";
import { didYouMean } from "./text.ts";

/** The kinds of flags an instruction takes; a list may be given several times. */
export type FlagKinds = Readonly<Record<string, "text" | "boolean" | "list">>;

type FlagValue<K> = K extends "boolean"
  ? boolean | undefined
  : K extends "list"
    ? readonly string[]
    : string | undefined;

export type FlagValues<T extends FlagKinds> = { readonly [K in keyof T]: FlagValue<T[K]> };

/**
 * @returns undefined for a flag that was not given, and an empty list
 * @throws {DockerfileError} for an unknown, repeated or incomplete flag
 */
export function readFlags<const T extends FlagKinds>(flags: readonly Word[], kinds: T): FlagValues<T> {
  const values = new Map<string, string | boolean | string[]>();
  for (const { value: flag, at } of flags) {
    const equals = flag.indexOf("=");
    const name = flag.slice(2, equals < 0 ? undefined : equals);
    const value = equals < 0 ? undefined : flag.slice(equals + 1);
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    const fail = (message: string): never => {
      throw new DockerfileError(message, {
        start: at,
        end: { line: at.line, column: at.column + flag.length - 1 },
      });
    };
    if (kind === undefined)
      return fail(`unknown flag: --${name}${didYouMean(name, Object.keys(kinds), true)}`);
    const before = values.get(name);
    if (before !== undefined && kind !== "list") return fail(`duplicate flag specified: --${name}`);
    if (kind === "boolean") {
      const text = value?.toLowerCase();
      if (text === "") return fail(`missing a value on flag: --${name}`);
      if (text !== undefined && text !== "true" && text !== "false") {
        return fail(`expecting boolean value for flag --${name}, not: ${value}`);
      }
      values.set(name, text !== "false");
    } else {
      if (value === undefined) return fail(`missing a value on flag: --${name}`);
      values.set(name, kind === "list" ? [...((before as string[] | undefined) ?? []), value] : value);
    }
  }
  const entries = Object.entries(kinds).map(([name, kind]) => [
    name,
    values.get(name) ?? (kind === "list" ? [] : undefined),
  ]);
  return Object.fromEntries(entries) as FlagValues<T>;
}
