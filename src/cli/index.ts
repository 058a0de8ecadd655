/**
 * The command line: words → command, arguments → options, one call into verbs/, failures → text and exit status.
 * The table is explicit, so that starting one command loads that command only.
 */
import { fail } from "./fail.ts";
import { findCommand } from "./find.ts";
import { COMMANDS } from "./table.ts";

/**
 * Runs one command line.
 *
 * @param argv what follows the program's name
 * @returns the exit status
 */
export async function run(argv: readonly string[]): Promise<number> {
  process.stdout.on("error", endOnBrokenPipe);
  try {
    if (argv[0] === "completion" && argv[1] === "words") {
      const { printCompletions } = await import("./complete.ts");
      return await printCompletions(argv.slice(argv[2] === "--" ? 3 : 2));
    }
    const found = findCommand(argv, Object.keys(COMMANDS));
    if (found.kind === "help") {
      const { printHelp } = await import("./help.ts");
      return await printHelp(found.words);
    }
    const Command = await COMMANDS[found.name]!();
    Command.id = found.name;
    return await new Command(found.argv).execute();
  } catch (error) {
    return await fail(error, argv);
  }
}

/** Nobody reads any more (`slipway logs -f | head`): ends as a program that SIGPIPE has killed. */
function endOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(141);
}
