import type { ReportEvent } from "../context.ts";
import type { ClosableReport } from "./report.ts";

/** One JSON object a line: `{v, t, op, id, phase, state, …}`. `v` changes when a field changes its meaning. */
export function jsonReport(stream: { write(text: string): unknown }, now = () => new Date()): ClosableReport {
  return {
    on({ subject, id, step, phase, text, why, current, total }: ReportEvent): void {
      const line = {
        v: 1,
        t: now().toISOString(),
        op: subject,
        id,
        ...(step !== undefined && { step }),
        phase,
        state: text,
        ...(why !== undefined && { reason: why }),
        ...(total !== undefined && { current, total }),
      };
      stream.write(`${JSON.stringify(line)}\n`);
    },
    close() {},
  };
}
