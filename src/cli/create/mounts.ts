/** `-v SOURCE:TARGET[:OPTIONS]` and `--mount type=…,…`. */
import { resolve } from "node:path";
import { AppError } from "../../errors.ts";
import { parseBytes } from "../../model/units.ts";

/** Paths are made absolute; a name is a volume's, and a target alone gets a volume without a name. */
export function readVolumes(texts: readonly string[]): {
  readonly binds: readonly string[];
  readonly anonymous: Readonly<Record<string, object>> | undefined;
} {
  const alone = texts.filter((text) => !text.includes(":"));
  return {
    binds: texts.filter((text) => text.includes(":")).map(absolute),
    anonymous: alone.length > 0 ? Object.fromEntries(alone.map((path) => [path, {}])) : undefined,
  };
}

function absolute(text: string): string {
  const [source = "", ...rest] = text.split(":");
  return [/^[./~]/.test(source) ? resolve(source) : source, ...rest].join(":");
}

const KEYS: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
};

/** @throws {AppError} USAGE */
export function readMount(text: string): object {
  const fields = new Map<string, string>();
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    const key = at < 0 ? part : part.slice(0, at);
    fields.set(KEYS[key] ?? key, at < 0 ? "true" : part.slice(at + 1));
  }
  const take = (key: string): string | undefined => {
    const value = fields.get(key);
    fields.delete(key);
    return value;
  };
  const on = (key: string): boolean => /^(1|t|true)$/i.test(take(key) ?? "");
  const type = take("type") ?? "volume";
  const source = take("source");
  const target = take("target");
  if (target === undefined)
    throw new AppError("USAGE", `--mount ${text}: the target is missing`, { hint: "Add target=PATH." });
  const mount = {
    Type: type,
    Target: target,
    ...(source !== undefined && { Source: type === "bind" ? resolve(source) : source }),
    ...(on("readonly") && { ReadOnly: true }),
    ...options(type, take, on),
  };
  const [unknown] = fields.keys();
  if (unknown !== undefined)
    throw new AppError("USAGE", `--mount ${text}: a ${type} mount has no "${unknown}"`);
  return mount;
}

function options(
  type: string,
  take: (key: string) => string | undefined,
  on: (key: string) => boolean,
): object {
  const kept = (name: string, values: object): object => {
    const given = Object.fromEntries(
      Object.entries(values).filter(([, value]) => value !== undefined && value !== false),
    );
    return Object.keys(given).length > 0 ? { [name]: given } : {};
  };
  if (type === "bind") {
    const recursive = take("bind-recursive");
    return kept("BindOptions", {
      Propagation: take("bind-propagation"),
      NonRecursive: on("bind-nonrecursive") || recursive === "disabled",
      ReadOnlyNonRecursive: recursive === "writable",
      ReadOnlyForceRecursive: recursive === "readonly",
    });
  }
  if (type === "tmpfs") {
    const size = take("tmpfs-size");
    const mode = take("tmpfs-mode");
    return kept("TmpfsOptions", {
      SizeBytes: size === undefined ? undefined : parseBytes(size),
      Mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
    });
  }
  if (type === "image") return kept("ImageOptions", { Subpath: take("image-subpath") });
  const driver = take("volume-driver");
  return kept("VolumeOptions", {
    NoCopy: on("volume-nocopy"),
    Subpath: take("volume-subpath"),
    DriverConfig: driver === undefined ? undefined : { Name: driver },
  });
}
