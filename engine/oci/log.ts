import { appendFileSync } from "node:fs";

/**
 * Says why a command failed: on stderr, and in the log, from which containerd and Podman take the reason.
 *
 * @see logrus's text and JSON forms, which runc's callers read
 */
export function report(file: string | undefined, format: string | undefined, message: string): void {
  process.stderr.write(`slipway-runtime: ${message}\n`);
  if (file === undefined) return;
  const time = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const line =
    format === "json"
      ? JSON.stringify({ level: "error", msg: message, time })
      : `time="${time}" level=error msg=${JSON.stringify(message)}`;
  appendFileSync(file, `${line}\n`);
}
