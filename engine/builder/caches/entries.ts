/** Where results of steps are taken to and looked for, in the words of BuildKit's --cache-to and --cache-from. */
import { isAbsolute } from "node:path";
import { EngineError } from "../../errors.ts";
import { parseReference } from "../../images/reference.ts";

export type CacheMode = "min" | "max";

export type CacheTo =
  /** A directory, as an OCI image layout. */
  | (Exported & { readonly type: "local"; readonly path: string; readonly tag: string })
  | (Exported & { readonly type: "registry"; readonly ref: string })
  /** Within the image's own configuration. */
  | { readonly type: "inline" };

interface Exported {
  /** `min`: steps whose layers the image has; `max`: all that the build needed. */
  readonly mode: CacheMode;
  /** A cache that cannot be written is no failure of the build. */
  readonly ignoreError: boolean;
}

export type CacheFrom =
  | { readonly type: "local"; readonly path: string; readonly tag: string }
  /** A cache, or an image with one within. */
  | { readonly type: "registry"; readonly ref: string };

/** One entry: `type=registry,ref=…`, a bare name of an image, or the same as fields. */
export type CacheEntry = string | Readonly<Record<string, string>>;

/** @throws {EngineError} invalid for a kind that is not known, or a place that is none */
export function readCacheTo(entry: CacheEntry): CacheTo {
  const { type, ...fields } = fieldsOf(entry);
  if (type === "inline") return { type };
  const mode = fields["mode"] ?? "min";
  if (mode !== "min" && mode !== "max")
    throw new EngineError("invalid", `cache mode "${mode}": it is min or max`);
  const shared = { mode, ignoreError: fields["ignore-error"] === "true" } as const;
  if (type === "local")
    return { type, path: pathOf(fields, "dest"), tag: fields["tag"] ?? "latest", ...shared };
  if (type === "registry") return { type, ref: referenceOf(fields), ...shared };
  throw unknown(type, "local, registry or inline");
}

/** @throws {EngineError} invalid, as above */
export function readCacheFrom(entry: CacheEntry): CacheFrom {
  const { type, ...fields } = fieldsOf(entry);
  if (type === "local") return { type, path: pathOf(fields, "src"), tag: fields["tag"] ?? "latest" };
  if (type === "registry") return { type, ref: referenceOf(fields) };
  throw unknown(type, "local or registry");
}

function fieldsOf(entry: CacheEntry): Readonly<Record<string, string>> {
  if (typeof entry !== "string") return entry;
  if (!entry.includes("=")) return { type: "registry", ref: entry };
  return Object.fromEntries(
    entry.split(",").map((field) => {
      const at = field.indexOf("=");
      return at < 0
        ? [field.trim().toLowerCase(), ""]
        : [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1)];
    }),
  );
}

function pathOf(fields: Readonly<Record<string, string>>, name: "dest" | "src"): string {
  const path = fields["path"] ?? fields[name];
  if (path === undefined || !isAbsolute(path))
    throw new EngineError("invalid", `a local cache needs ${name}, an absolute path`);
  return path;
}

function referenceOf({ ref = "" }: Readonly<Record<string, string>>): string {
  if (ref === "") throw new EngineError("invalid", "a cache in a registry needs ref, its name there");
  parseReference(ref);
  return ref;
}

function unknown(type: string | undefined, known: string): EngineError {
  return new EngineError("invalid", `a cache of type "${type ?? ""}" is not supported: ${known}`);
}
