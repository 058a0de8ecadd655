/**
 * Where an image comes from when it comes from no registry: what the settings say for its name, or a request. It is
 * always said where an image is taken from.
 */
import { isAbsolute } from "node:path";
import { EngineError } from "../../errors.ts";
import { type BootstrapOptions, VARIANTS, type Variant } from "../bootstrap/plan.ts";
import { familiar, type Reference } from "../reference.ts";

export type ImageSource =
  | { readonly kind: "bootstrap"; readonly options: Pick<BootstrapOptions, "suite" | "variant" | "include"> }
  /** A directory that is an OCI image layout; `name` chooses among several images. */
  | { readonly kind: "oci-layout"; readonly path: string; readonly name: string | undefined }
  /** What `docker save` writes, or an OCI layout as an archive. */
  | { readonly kind: "archive"; readonly path: string; readonly name: string | undefined }
  /** A root file system. */
  | { readonly kind: "dir"; readonly path: string };

/**
 * Reads `bootstrap`, `bootstrap:trixie?variant=slim&include=curl,nginx-light`, `oci-layout:/path`,
 * `oci-layout:/path@name:tag`, `archive:/path.tar`, `dir:/path`; two slashes after the colon change nothing.
 *
 * @throws {EngineError} invalid
 */
export function parseSource(text: string): ImageSource {
  const [, kind = "", rest = ""] = /^([a-z-]+)(?::(?:\/\/(?=\/))?(.*))?$/s.exec(text) ?? [];
  if (kind === "bootstrap") return { kind, options: bootstrapOptions(text, rest) };
  if (kind === "dir") return { kind, path: absolute(text, rest) };
  if (kind === "oci-layout" || kind === "archive") {
    const [, path = "", name] = /^([^@]*)(?:@(.+))?$/s.exec(rest) ?? [];
    return { kind, path: absolute(text, path), name };
  }
  throw new EngineError(
    "invalid",
    `${text} is no source of images: write bootstrap[:SUITE], oci-layout:/PATH, archive:/PATH or dir:/PATH`,
  );
}

/**
 * What the settings say for an image.
 *
 * @param sources pattern of names, in which "*" stands for anything but "/", → source; the first that fits counts
 */
export function sourceFor(
  sources: Readonly<Record<string, string>>,
  reference: Reference,
): string | undefined {
  if (reference.tag === undefined) return undefined;
  const name = familiar({ ...reference, digest: undefined });
  return Object.entries(sources).find(([pattern]) => patternOf(pattern).test(name))?.[1];
}

function patternOf(pattern: string): RegExp {
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*");
  // Without a tag all tags are meant.
  return new RegExp(`^${source}${/:[^/]*$/.test(pattern) ? "" : ":[^/]*"}$`);
}

function absolute(text: string, path: string): string {
  if (isAbsolute(path)) return path;
  throw new EngineError("invalid", `${text}: the path of an image source is absolute`);
}

function bootstrapOptions(
  text: string,
  rest: string,
): Pick<BootstrapOptions, "suite" | "variant" | "include"> {
  const [suite = "", query = ""] = rest.split("?");
  const { variant, include, ...others } = Object.fromEntries(new URLSearchParams(query));
  if (Object.keys(others).length > 0 || (variant !== undefined && !VARIANTS.includes(variant as Variant)))
    throw new EngineError("invalid", `${text}: write variant=${VARIANTS.join("|")} and include=PACKAGE,…`);
  return {
    ...(suite !== "" && { suite }),
    ...(variant !== undefined && { variant: variant as Variant }),
    ...(include && { include: include.split(",") }),
  };
}
