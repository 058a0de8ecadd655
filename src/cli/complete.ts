import type { SlipwayCommand } from "./base.ts";
import { globalFlags } from "./base.ts";
import { COMMANDS } from "./table.ts";

type Definition = typeof SlipwayCommand;

/**
 * What could stand at the end of a command line: commands, topics, flags, values, services of the project.
 *
 * @param words after the program's name; the last one is the beginning of what is wanted, maybe empty
 * @param services asked for only where a service may stand
 */
export async function complete(
  words: readonly string[],
  services: (before: readonly string[]) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const begun = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const name = commandOf(before);
  const fits = (candidates: readonly string[]): readonly string[] =>
    [...new Set(candidates)].filter((candidate) => candidate.startsWith(begun));
  if (name === undefined) {
    if (begun.startsWith("-")) return fits(flagWords(globalFlags));
    return fits(nextWords(before.filter((word) => !word.startsWith("-"))));
  }
  const command = (await COMMANDS[name]!()) as unknown as Definition;
  const flags = { ...globalFlags, ...command.flags };
  const last = before.at(-1) ?? "";
  const flag = flags[last.replace(/^--/, "") as keyof typeof flags];
  if (last.startsWith("--") && flag?.type === "option") return fits(flag.options ?? []);
  if (begun.startsWith("-")) return fits(flagWords(flags));
  return "service" in (command.args ?? {}) ? fits(await services(before)) : [];
}

/** Prints the candidates for the shell's completion, one a line. @returns the exit status */
export async function printCompletions(words: readonly string[]): Promise<number> {
  for (const candidate of await complete(words, servicesOf)) process.stdout.write(`${candidate}\n`);
  return 0;
}

/** A project that cannot be loaded has no services to offer; nobody wants its errors while typing. */
async function servicesOf(before: readonly string[]): Promise<readonly string[]> {
  const { load } = await import("../model/load.ts");
  const files = before.filter((_, index) => ["-f", "--file"].includes(before[index - 1] ?? ""));
  const source = { env: process.env, cwd: process.cwd(), ...(files.length > 0 && { files }) };
  const project = await load(source).catch(() => undefined);
  return Object.keys({ ...project?.services, ...project?.disabledServices });
}

/** The longest command that the words before begin with, flags aside. */
function commandOf(before: readonly string[]): string | undefined {
  const words = before.filter((word) => !word.startsWith("-"));
  // A flag's value may look like a word: each place is tried.
  for (let start = 0; start < words.length; start++) {
    for (const count of [2, 1]) {
      const name = words.slice(start, start + count).join(" ");
      if (name in COMMANDS) return name;
    }
  }
  return undefined;
}

function nextWords(words: readonly string[]): readonly string[] {
  const topic = words.at(-1);
  const within = Object.keys(COMMANDS).filter((name) => topic !== undefined && name.startsWith(`${topic} `));
  if (within.length > 0) return within.map((name) => name.split(" ")[1]!);
  return Object.keys(COMMANDS).map((name) => name.split(" ")[0]!);
}

function flagWords(flags: Readonly<Record<string, { readonly hidden?: boolean | undefined }>>): string[] {
  return Object.entries(flags).flatMap(([name, { hidden }]) => (hidden ? [] : [`--${name}`]));
}
