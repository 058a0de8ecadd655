import { createHash } from "node:crypto";

/** JSON as it is compared: keys sorted, what is empty or absent left out, so that spelling makes no difference. */
export type Canonical =
  | string
  | number
  | boolean
  | null
  | readonly Canonical[]
  | { readonly [key: string]: Canonical };

/** An empty list takes the image's away; anywhere else it is as good as absent. */
const MEANS_NONE = new Set(["command", "entrypoint"]);

export function canonical(value: unknown): Canonical | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return value.map((item) => canonical(item) ?? null);
  if (typeof value !== "object") return value as string | number | boolean;
  const result: Record<string, Canonical> = {};
  for (const key of Object.keys(value).sort()) {
    const item = canonical((value as Record<string, unknown>)[key]);
    if (item === undefined || (isEmpty(item) && !MEANS_NONE.has(key))) continue;
    result[key] = item;
  }
  return result;
}

function isEmpty(value: Canonical): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** 64 hex digits: SHA-256 of the JSON text. */
export function digest(value: Canonical | string | Buffer): string {
  const bytes = typeof value === "string" || Buffer.isBuffer(value) ? value : JSON.stringify(value);
  return createHash("sha256").update(bytes).digest("hex");
}
