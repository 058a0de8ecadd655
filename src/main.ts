/** The command line's entry: everything it does is in cli/. */
import { run } from "./cli/index.ts";

// Exits by itself: a kept-alive connection to the engine must not hold the terminal.
void run(process.argv.slice(2)).then((status) => process.exit(status));
