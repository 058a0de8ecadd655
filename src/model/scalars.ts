/** Plain scalars of YAML, typed the way docker compose's parser types them: YAML 1.2 with 1.1's octal and underscores. */
import type { Scalar } from "./types.ts";

const WORDS: Readonly<Record<string, Scalar>> = {
  "": null,
  "~": null,
  null: null,
  Null: null,
  NULL: null,
  true: true,
  True: true,
  TRUE: true,
  false: false,
  False: false,
  FALSE: false,
  ".nan": Number.NaN,
  ".NaN": Number.NaN,
  ".NAN": Number.NaN,
  ".inf": Number.POSITIVE_INFINITY,
  ".Inf": Number.POSITIVE_INFINITY,
  ".INF": Number.POSITIVE_INFINITY,
  "+.inf": Number.POSITIVE_INFINITY,
  "+.Inf": Number.POSITIVE_INFINITY,
  "+.INF": Number.POSITIVE_INFINITY,
  "-.inf": Number.NEGATIVE_INFINITY,
  "-.Inf": Number.NEGATIVE_INFINITY,
  "-.INF": Number.NEGATIVE_INFINITY,
};

const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

/**
 * Types a plain scalar. `yes`, `no`, `on`, `off`, times and dates are text; `0123` and `0o123` are octal; an integer that
 * a double cannot hold is a bigint, and one beyond 64 bits a double.
 */
export function resolvePlain(text: string): Scalar {
  if (Object.hasOwn(WORDS, text)) return WORDS[text]!;
  const first = text.charCodeAt(0);
  const digit = first >= 48 && first <= 57;
  if (!digit && first !== 43 && first !== 45 && first !== 46) return text;
  const plain = text.includes("_") ? text.replaceAll("_", "") : text;
  return integer(plain) ?? (FLOAT.test(plain) && Number.isFinite(Number(plain)) ? Number(plain) : text);
}

const MAX = 2n ** 64n;

/** An integer of 64 bits in Go's notation, where a leading zero alone means octal. */
function integer(text: string): number | bigint | undefined {
  const match = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/.exec(text);
  if (!match) return undefined;
  const digits = match[2]!;
  const octal = /^0[0-7]/.test(digits);
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits) * (match[1] === "-" ? -1n : 1n);
  if (value >= MAX || value < -(MAX / 2n)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number + 0 : value;
}

/** True for a number that was written as a float, or that no 64-bit integer holds: Go prints these in another way. */
export function isFloat(value: number, source: string | undefined): boolean {
  return (
    !Number.isSafeInteger(value) ||
    (source !== undefined && /[.eE]/.test(source) && !/^[-+]?0[xX]/.test(source))
  );
}

/** A number as Go prints it: `1.2345678e+07`, `1e-05`, `+Inf`. @param float it is one, though it may be whole */
export function formatNumber(value: number | bigint, float = !Number.isSafeInteger(value)): string {
  if (typeof value === "bigint") return String(value);
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  if (Number.isNaN(value)) return "NaN";
  if (value === 0) return "0";
  // From a million on, and below a ten-thousandth, Go writes floats with an exponent.
  if (!float || (Math.abs(value) >= 1e-4 && Math.abs(value) < 1e6)) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}

/** Any scalar as text, as docker compose writes it into a value that is text. */
export function formatScalar(value: Scalar, source?: string): string {
  if (value === null) return "";
  if (typeof value === "number") return formatNumber(value, isFloat(value, source));
  return String(value);
}
