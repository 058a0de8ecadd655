import { appendFileSync, renameSync, statSync, writeSync } from "node:fs";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Values that are printed after the sentence as `key=value`. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** The engine's log: one event, one line. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Says nothing, for tests. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Makes a log that writes to stderr, or to the end of a file.
 *
 * @param level the least important level that is still written
 */
export function openLog(level: LogLevel, file?: string): Log {
  const least = LOG_LEVELS.indexOf(level);
  if (file !== undefined) setAside(file);
  const write = (line: string): void => {
    try {
      // Not process.stderr, which breaks at the first write that fails.
      if (file === undefined) writeSync(STDERR, line);
      else appendFileSync(file, line, { mode: 0o600 });
    } catch {
      // A full disk: that the log misses a line must not end the engine, by which space can be made.
    }
  };
  const at =
    (name: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (LOG_LEVELS.indexOf(name) >= least) write(formatLine(new Date(), name, message, fields));
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

const STDERR = 2;

/** A log that has grown large begins anew; the one before is kept beside it. */
const LARGE = 16 * 1024 * 1024;

function setAside(file: string): void {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LARGE) renameSync(file, `${file}.1`);
}

/** `2026-01-02T03:04:05.678Z info  container started id=… pid=17`, with a newline at the end and none inside. */
export function formatLine(time: Date, level: LogLevel, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => ` ${key}=${/^[^\s"=]+$/.test(String(value)) ? value : JSON.stringify(String(value))}`,
    );
  return `${time.toISOString()} ${level.padEnd(5)} ${message.replaceAll("\n", "\\n")}${pairs.join("")}\n`;
}
