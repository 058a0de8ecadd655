import { readFileSync } from "node:fs";
import { EngineError } from "../../errors.ts";
import { familiar, parseReference, type Reference, withDefaultTag } from "../reference.ts";

export const VARIANTS = ["apt", "minbase", "slim"] as const;
/**
 * `apt`: essential packages and apt. `minbase`: those of priority required, too. `slim`: as minbase, without
 * documentation, manuals and translations.
 */
export type Variant = (typeof VARIANTS)[number];

export interface BootstrapOptions {
  /** More packages. */
  readonly include?: readonly string[];
  readonly variant?: Variant;
  /** Debian's name of the release, where the image's name does not say it. */
  readonly suite?: string;
  readonly signal?: AbortSignal;
}

/** What is to be made. */
export type BootstrapPlan =
  | {
      readonly kind: "debian";
      readonly reference: Reference;
      readonly suite: string;
      readonly variant: Variant;
      readonly include: readonly string[];
    }
  | { readonly kind: "busybox"; readonly reference: Reference };

/** Labels that say what an image was made of. */
export const LABEL = {
  suite: "slipway.bootstrap.suite",
  variant: "slipway.bootstrap.variant",
  include: "slipway.bootstrap.include",
  sources: "slipway.bootstrap.sources",
  packages: "slipway.bootstrap.packages",
} as const;

const PACKAGE = /^[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?([=/][A-Za-z0-9.+:~-]+)?$/;
const SUITE = /^[a-z][a-z0-9-]*$/;

/**
 * Reads what an image's name asks for: `busybox`, `debian`, `debian:bookworm`, `debian:trixie-slim`; any other name with
 * the suite beside it.
 *
 * @throws {EngineError} invalid, if nothing says which release it is, or a package's name is none
 */
export function planBootstrap(name: string, options: BootstrapOptions, machine: string): BootstrapPlan {
  const reference = withDefaultTag(parseReference(name));
  const { tag, digest } = reference;
  if (digest !== undefined || tag === undefined)
    throw new EngineError("invalid", "an image that is made here cannot be asked for by digest");
  const isLibrary = reference.domain === "docker.io" && reference.path.startsWith("library/");
  if (isLibrary && reference.path === "library/busybox") return { kind: "busybox", reference };
  const isDebian = isLibrary && reference.path === "library/debian";
  const include = [...new Set(options.include ?? [])].sort();
  for (const pkg of include)
    if (!PACKAGE.test(pkg))
      throw new EngineError("invalid", `${JSON.stringify(pkg)} is not a package's name`);
  if (!isDebian && options.suite === undefined) {
    throw new EngineError(
      "invalid",
      `${familiar(reference)} cannot be made here: only busybox and debian:SUITE can, or any name with a suite`,
    );
  }
  const slim = tag.endsWith("-slim") || tag === "slim";
  const named = tag === "latest" || tag === "slim" ? machine : tag.replace(/-slim$/, "");
  const suite = options.suite ?? named;
  if (!SUITE.test(suite))
    throw new EngineError("invalid", `${JSON.stringify(suite)} is not the name of a Debian release`);
  return {
    kind: "debian",
    reference,
    suite,
    variant: options.variant ?? (slim ? "slim" : "minbase"),
    include,
  };
}

/** The codename of the machine's Debian, "" if it is none. @see os-release(5) */
export function machineSuite(file = "/etc/os-release"): string {
  try {
    return /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(readFileSync(file, "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}

/** The names that sources use for the machine's release. */
export function machineNames(suite: string): readonly string[] {
  return [suite, "stable", "oldstable", "testing", "unstable", "sid"].filter((name) => name !== "");
}
