/** Durations and amounts of bytes: reading them as the Compose file spells them, and writing them in their one spelling. */
import { AppError } from "../errors.ts";

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 86400e9,
  w: 604800e9,
};
/** What 64 bits of nanoseconds hold, rounded down to what a number here holds. */
const LONGEST = 2 ** 63 - 1024;
const PART = /([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h|d|w)/g;

/**
 * Reads a duration, such as `1m30s`.
 *
 * @returns whole nanoseconds: the unit of the Engine API's `Healthcheck.Interval`
 * @throws {AppError} COMPOSE_DURATION if there is no unit, or anything but `{number}{unit}` pairs
 * @see compose-spec 11-extension.md, "Specifying durations"
 */
export function parseDuration(text: string): number {
  const sign = text.startsWith("-") ? -1 : 1;
  const body = text.replace(/^[-+]/, "");
  if (body === "0") return 0;
  let total = 0;
  let length = 0;
  for (const [whole, amount, unit] of body.matchAll(PART)) {
    total += Math.trunc(Number(amount) * NANOSECONDS[unit!]! + 1e-6);
    length += whole.length;
  }
  if (length === 0 || length !== body.length) {
    throw new AppError("COMPOSE_DURATION", `"${text}" is not a duration`, {
      hint: "Write it like 40s or 1m30s.",
    });
  }
  if (total > LONGEST) {
    throw new AppError("COMPOSE_DURATION", `"${text}" is longer than the engine can count`, {
      hint: "The longest is 292 years, 2562047h.",
    });
  }
  return sign * total;
}

/** A duration in its one spelling, Go's: `1m30s`, `500ms`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  const sign = nanoseconds < 0 ? "-" : "";
  const value = Math.abs(nanoseconds);
  if (value < 1e9) {
    const [unit, size] =
      value < 1e3 ? (["ns", 1] as const) : value < 1e6 ? (["µs", 1e3] as const) : (["ms", 1e6] as const);
    return `${sign}${value / size}${unit}`;
  }
  const hours = Math.floor(value / 3600e9);
  const minutes = Math.floor((value % 3600e9) / 60e9);
  const seconds = ((value % 60e9) / 1e9).toFixed(9).replace(/\.?0+$/, "");
  return `${sign}${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds}s`;
}

const POWERS = ["", "k", "m", "g", "t", "p"];

/**
 * Reads an amount of bytes, such as `64m`, `1.5gb` or `2 GiB`; a thousand is 1024 everywhere.
 *
 * @returns whole bytes; -1 stands for "no limit" where the file may say so
 * @throws {AppError} COMPOSE_BYTES
 */
export function parseBytes(text: string): number {
  if (text === "-1") return -1;
  const match = /^([0-9]+(?:\.[0-9]*)?|\.[0-9]+) ?([kmgtp]?)(?:i?b)?$/i.exec(text);
  const bytes = match
    ? Math.trunc(Number(match[1]) * 1024 ** POWERS.indexOf(match[2]!.toLowerCase()))
    : Number.NaN;
  if (!Number.isSafeInteger(bytes)) {
    throw new AppError("COMPOSE_BYTES", `"${text}" is not an amount of bytes`, {
      hint: "Write it like 64m or 1.5g.",
    });
  }
  return bytes;
}
