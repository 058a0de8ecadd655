/**
 * What a seccomp profile says, before it becomes a filter for one machine: rules by name, some of them only with
 * (or without) a capability or on an architecture.
 */
export type Action =
  | { readonly kind: "allow" | "log" | "trap" | "kill" | "killProcess" }
  | { readonly kind: "errno" | "trace"; readonly value: number };

export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=" | "masked";

/** A test of one argument of a call. For `masked`: `(argument & value) == masked`. */
export interface Condition {
  readonly index: number;
  readonly is: Comparison;
  readonly value: bigint;
  readonly masked?: bigint;
}

export interface Rule {
  readonly names: readonly string[];
  readonly action: Action;
  /** All must hold; several rules of one call are alternatives. */
  readonly conditions?: readonly Condition[];
  /** Only if the container has all of these. */
  readonly withCapabilities?: readonly string[];
  /** Only if the container has none of these. */
  readonly withoutCapabilities?: readonly string[];
  /** Only on these machines. */
  readonly machines?: readonly Machine[];
}

export type Machine = "x86_64" | "aarch64";

export interface Profile {
  /** For calls that no rule names. */
  readonly otherwise: Action;
  readonly rules: readonly Rule[];
}

export const ALLOW: Action = { kind: "allow" };

export function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
