import { existsSync } from "node:fs";
import { join } from "node:path";

/** The built C program: beside the bundle, or in the `dist` of a checkout. */
export function program(): string {
  const given = process.env["SLIPWAY_NATIVE"];
  if (given) return given;
  const [bundled, checkout] = ["native/slipway-native", "../../dist/native/slipway-native"].map((name) =>
    join(import.meta.dirname, name),
  ) as [string, string];
  return existsSync(bundled) ? bundled : checkout;
}
