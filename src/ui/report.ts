import type { Report } from "../context.ts";
import { colours, painter } from "./colour.ts";
import { jsonReport } from "./json.ts";
import { plainReport } from "./plain.ts";
import { ttyReport } from "./tty.ts";

export interface ClosableReport extends Report {
  /** Draws the last state and gives the terminal back. */
  close(): void;
}

/**
 * The report that fits the flags, the stream and the environment: redrawn rows on a terminal, a line a state change
 * elsewhere, NDJSON for programs.
 */
export function makeReport(
  flags: { readonly progress: string; readonly ansi: string },
  stream: NodeJS.WriteStream,
  env: NodeJS.ProcessEnv,
): ClosableReport {
  const paint = painter(colours(stream, env, flags.ansi));
  switch (flags.progress) {
    case "json":
      return jsonReport(stream);
    case "quiet":
      return { on: () => {}, close: () => {} };
    case "plain":
      return plainReport(stream, paint);
    case "tty":
      return ttyReport(stream, paint);
    default: {
      // `--ansi never` forbids the sequences that move the cursor, too.
      const able = stream.isTTY && !env["CI"] && env["TERM"] !== "dumb" && flags.ansi !== "never";
      return able ? ttyReport(stream, paint) : plainReport(stream, paint);
    }
  }
}
