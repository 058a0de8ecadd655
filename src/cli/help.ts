import { colours, pad, painter, widthOf } from "../ui/colour.ts";
import { VERSION } from "../version.ts";
import type { SlipwayCommand } from "./base.ts";
import { globalFlags } from "./base.ts";
import { yieldLetters } from "./parse.ts";
import { COMMANDS } from "./table.ts";

type Definition = typeof SlipwayCommand;

/**
 * Prints help, built from what the commands declare, so that it cannot say anything else.
 *
 * @param words of a command or topic; none: the overview
 * @returns the exit status
 */
export async function printHelp(words: readonly string[]): Promise<number> {
  const paint = painter(colours(process.stdout, process.env));
  const heading = (text: string): string => paint("bold", text);
  let name = words.join(" ");
  while (name !== "" && !(name in COMMANDS) && topic(name).length === 0)
    name = name.slice(0, Math.max(0, name.lastIndexOf(" ")));
  if (name in COMMANDS)
    process.stdout.write(commandHelp(name, (await COMMANDS[name]!()) as unknown as Definition, heading));
  else process.stdout.write(await overview(name, heading));
  return 0;
}

/** Commands that belong together; each of one word is in one of these, aliases aside. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  PROJECT: [
    "up",
    "down",
    "plan",
    "ps",
    "logs",
    "watch",
    "run",
    "exec",
    "build",
    "config",
    "explain",
    "graph",
  ],
  SERVICES: [
    "create",
    "start",
    "stop",
    "restart",
    "kill",
    "rm",
    "scale",
    "pause",
    "unpause",
    "wait",
    "attach",
  ],
  "LOOKING AT THEM": ["top", "stats", "port", "images", "volumes", "events", "ls", "cp", "export", "commit"],
  IMAGES: ["pull", "push", "search", "tag", "save", "load", "login", "logout"],
  "ENGINE AND TOOLS": ["daemon", "version", "info", "inspect", "completion", "lsp"],
};

async function overview(prefix: string, heading: (text: string) => string): Promise<string> {
  const rowsOf = (names: readonly string[]) =>
    Promise.all(
      names.map(
        async (name) => [name, ((await COMMANDS[name]!()) as unknown as Definition).summary ?? ""] as const,
      ),
    );
  const lines: string[] = [];
  if (prefix === "") {
    lines.push(
      `Slipway ${VERSION}: brings up what compose.yaml describes, with a container engine of its own.`,
    );
    lines.push("", heading("USAGE"), "  slipway [-f FILE] [-p NAME] COMMAND [FLAGS] [ARGS]");
    for (const [title, names] of Object.entries(GROUPS))
      lines.push("", heading(title), ...table(await rowsOf(names)));
    const topics = [
      ...new Set(
        Object.keys(COMMANDS)
          .filter((name) => name.includes(" "))
          .map((name) => name.split(" ")[0]!),
      ),
    ];
    const objects = topics.map(
      (word) =>
        [
          word,
          topic(word)
            .map((name) => name.slice(word.length + 1))
            .join(" "),
        ] as const,
    );
    lines.push("", heading("THE ENGINE'S OBJECTS"), ...table(objects));
    lines.push("", heading("FLAGS BEFORE OR AFTER THE COMMAND"), ...table(flagRows(globalFlags)));
  } else {
    lines.push(heading("USAGE"), `  slipway ${prefix} COMMAND [FLAGS] [ARGS]`);
    lines.push("", heading("COMMANDS"), ...table(await rowsOf(topic(prefix))));
  }
  lines.push("", "`slipway COMMAND --help` tells more, with examples.");
  return `${lines.join("\n")}\n`;
}

function commandHelp(name: string, command: Definition, heading: (text: string) => string): string {
  const args = Object.entries(command.args ?? {}).map(([arg, { required, multiple, description }]) => {
    const word = `${arg.toUpperCase()}${multiple ? "..." : ""}`;
    return [required ? word : `[${word}]`, description ?? ""] as const;
  });
  const flags = command.flags ?? {};
  const lines = [
    command.summary ?? "",
    "",
    heading("USAGE"),
    `  slipway ${[name, ...(Object.keys(flags).length > 0 ? ["[FLAGS]"] : []), ...args.map(([word]) => word)].join(" ")}`,
  ];
  if (command.description) lines.push("", ...command.description.split("\n").map((line) => `  ${line}`));
  if (args.some(([, text]) => text !== "")) lines.push("", heading("ARGUMENTS"), ...table(args));
  const rows = flagRows(flags);
  if (rows.length > 0) lines.push("", heading("FLAGS"), ...table(rows));
  const examples = (command.examples ?? []) as readonly string[];
  if (examples.length > 0)
    lines.push("", heading("EXAMPLES"), ...examples.map((example) => `  $ ${example}`));
  const shared = Object.keys(yieldLetters(globalFlags, flags)).filter(
    (flag) => !globalFlags[flag as keyof typeof globalFlags].hidden,
  );
  lines.push("", `Also: ${shared.map((flag) => `--${flag}`).join(" ")}`);
  return `${lines.join("\n")}\n`;
}

function flagRows(flags: NonNullable<Definition["flags"]>): (readonly [string, string])[] {
  return Object.entries(flags)
    .filter(([, flag]) => !flag.hidden)
    .map(([name, flag]) => {
      const letter = flag.char ? `-${flag.char}, ` : "    ";
      const value =
        flag.type === "option"
          ? ` ${flag.helpValue ?? (flag.options ? flag.options.join("|") : "VALUE")}`
          : "";
      const notes =
        flag.type === "option" && flag.default !== undefined && typeof flag.default !== "function"
          ? ` (default ${String(flag.default)})`
          : "";
      return [`${letter}--${name}${value}`, `${flag.summary ?? flag.description ?? ""}${notes}`] as const;
    });
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const wide = Math.max(0, ...rows.map(([left]) => widthOf(left)));
  return rows.map(([left, right]) => `  ${pad(left, wide)}  ${right}`.trimEnd());
}

function topic(word: string): string[] {
  return Object.keys(COMMANDS).filter((name) => name.startsWith(`${word} `));
}
