import { FAILURES } from "../errors.ts";

/**
 * Prints what went wrong and turns it into the exit status. Here alone failures become text.
 *
 * @param argv the words of the command line, to find out how to print before flags could be read
 */
export async function fail(error: unknown, argv: readonly string[]): Promise<number> {
  const { failuresOf, printFailures } = await import("../ui/failures.ts");
  const failures = failuresOf(error);
  // Who reads data as JSON reads failures as JSON.
  const json = ["--progress", "--format"].some(
    (flag) => argv[argv.indexOf(flag) + 1] === "json" || argv.includes(`${flag}=json`),
  );
  printFailures(failures, process.stderr, process.env, json ? "json" : "text");
  return FAILURES[failures[0]!.code];
}
