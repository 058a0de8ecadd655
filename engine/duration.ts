/** Durations as Go writes them, which is how Docker's clients do. */
import { EngineError } from "./errors.ts";

/** Nanoseconds in each unit of Go's time.ParseDuration. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/**
 * Reads a Go duration, such as `1m30s` or `-1.5h`.
 *
 * @returns nanoseconds
 * @throws {EngineError} invalid, in Go's words
 */
export function parseDuration(text: string): number {
  const invalid = (): never => {
    throw new EngineError("invalid", `time: invalid duration ${JSON.stringify(text)}`);
  };
  const negative = text.startsWith("-");
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0;
  if (rest === "") return invalid();
  let total = 0;
  while (rest !== "") {
    const number = /^(?:\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) return invalid();
    rest = rest.slice(number.length);
    const unit = /^[^.\d]*/.exec(rest)![0];
    if (unit === "")
      throw new EngineError("invalid", `time: missing unit in duration ${JSON.stringify(text)}`);
    const nanoseconds = UNITS[unit];
    if (nanoseconds === undefined) {
      throw new EngineError(
        "invalid",
        `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`,
      );
    }
    rest = rest.slice(unit.length);
    total += Number(number) * nanoseconds;
  }
  return Math.trunc(negative ? -total : total);
}

/** Go's Duration.String: `1m30s`, `1.5ms`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 0) return `-${formatDuration(-nanoseconds)}`;
  for (const [unit, size, next] of [
    ["ns", 1, 1e3],
    ["µs", 1e3, 1e6],
    ["ms", 1e6, 1e9],
  ] as const) {
    if (nanoseconds < next) return `${nanoseconds / size}${unit}`;
  }
  const hours = Math.floor(nanoseconds / 3600e9);
  const minutes = Math.floor((nanoseconds % 3600e9) / 60e9);
  const seconds = (nanoseconds % 60e9) / 1e9;
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
