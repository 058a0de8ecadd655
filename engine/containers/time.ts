/** Nanoseconds since 1970, by the machine's clock. Its steps are milliseconds; the rest is counted by a steady clock, so that texts of two moments differ. */
export function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n);
}

/** As Docker writes times: RFC 3339 in UTC with up to nine digits, none of them a trailing zero. */
export function formatTime(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const fraction = String(ns % 1_000_000_000n)
    .padStart(9, "0")
    .replace(/0+$/, "");
  return fraction === "" ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/** @returns nanoseconds since 1970; 0 for Go's zero time */
export function parseTime(text: string): bigint {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (found === null) return 0n;
  const milliseconds = Date.parse(`${found[1]}${found[3]}`);
  if (milliseconds < 0) return 0n;
  return BigInt(milliseconds) * 1_000_000n + BigInt((found[2] ?? "").padEnd(9, "0"));
}
