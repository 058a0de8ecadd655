import type { ReportEvent } from "../context.ts";
import type { Paint } from "./colour.ts";
import type { ClosableReport } from "./report.ts";

/** One line a state change, with the seconds since the start; repeats and mere progress are left out. */
export function plainReport(
  stream: { write(text: string): unknown },
  paint: Paint,
  now: () => number = () => performance.now(),
): ClosableReport {
  const begun = now();
  const last = new Map<string, string>();
  const reasons = new Map<string, string>();
  return {
    on({ subject, id, step, phase, text, why, total }: ReportEvent): void {
      const seconds = (): string => paint("dim", ((now() - begun) / 1000).toFixed(2).padStart(5));
      const name = subject === "container" || subject === "project" ? id : `${subject} ${id}`;
      if (phase === "output") {
        // Steps print beside each other: each line says whose it is.
        const [place = ""] = /^\[[^\]]*\]/.exec(step ?? "") ?? [];
        stream.write(`${seconds()} ${name}: ${paint("dim", place === "" ? "│" : `${place} │`)} ${text}\n`);
        return;
      }
      const key = `${subject} ${id}`;
      const state = `${phase} ${text}`;
      if (total !== undefined || (last.get(key) === state && subject !== "build")) return;
      last.set(key, state);
      const reason = why !== undefined && reasons.get(key) !== why ? ` (${why})` : "";
      if (why !== undefined) reasons.set(key, why);
      const shown = phase === "failed" ? paint("red", text) : phase === "warn" ? paint("yellow", text) : text;
      stream.write(`${seconds()} ${name}: ${shown}${reason}\n`);
    },
    close() {},
  };
}
