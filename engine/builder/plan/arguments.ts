/** Which variables a build knows, and where: global ARGs, the automatic ones, proxies, SOURCE_DATE_EPOCH. */
import type { Platform } from "../../images/types.ts";
import type { Command } from "../dockerfile/commands.ts";
import { DockerfileError, located } from "../dockerfile/position.ts";
import { expand } from "../dockerfile/words.ts";

/** ARG commands in front of the first FROM. */
export type GlobalArguments = readonly Extract<Command, { kind: "arg" }>[];

const PROXIES = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"];

/** @returns `linux/amd64`, with the variant where there is one */
export function formatPlatform({ os, architecture, variant = "" }: Platform): string {
  return variant === "" ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** @throws {DockerfileError} for what names no platform */
export function parsePlatform(text: string, fallback: Platform): Platform {
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) {
    throw new DockerfileError(`"${text}": cannot parse platform specifier: invalid argument`);
  }
  const [first = "", architecture, variant] = parts;
  if (architecture === undefined) {
    if (first === "linux" || first === "windows" || first === "darwin") return { ...fallback, os: first };
    return { os: fallback.os, ...normal(first, "") };
  }
  return { os: first, ...normal(architecture, variant ?? "") };
}

function normal(architecture: string, variant: string): Omit<Platform, "os"> {
  if (architecture === "x86_64" || architecture === "x86-64") return { architecture: "amd64" };
  if (architecture === "aarch64" || architecture === "arm64") {
    return variant === "" || variant === "v8" || variant === "8"
      ? { architecture: "arm64" }
      : { architecture: "arm64", variant };
  }
  if (architecture === "i386") return { architecture: "386" };
  if (architecture === "amd64" && variant === "v1") return { architecture };
  return variant === "" ? { architecture } : { architecture, variant };
}

/** The automatic variables; a build argument of the same name wins. */
export function automaticArguments(
  build: Platform,
  target: Platform,
  targetStage: string,
  given: ReadonlyMap<string, string>,
): Map<string, string> {
  const values: [string, string][] = [
    ["BUILDPLATFORM", formatPlatform(build)],
    ["BUILDOS", build.os],
    ["BUILDOSVERSION", ""],
    ["BUILDARCH", build.architecture],
    ["BUILDVARIANT", build.variant ?? ""],
    ["TARGETPLATFORM", formatPlatform(target)],
    ["TARGETOS", target.os],
    ["TARGETOSVERSION", ""],
    ["TARGETARCH", target.architecture],
    ["TARGETVARIANT", target.variant ?? ""],
    ["TARGETSTAGE", targetStage === "" ? "default" : targetStage],
  ];
  return new Map(values.map(([name, value]) => [name, given.get(name) ?? value]));
}

/** @returns the automatic variables and the global ARGs, in which later ones see earlier ones */
export function globalArguments(
  automatic: ReadonlyMap<string, string>,
  commands: GlobalArguments,
  given: ReadonlyMap<string, string>,
  escapeToken: string,
): Map<string, string> {
  const values = new Map(automatic);
  for (const { arguments: list, node } of commands) {
    for (const { key, value } of list) {
      const chosen =
        given.get(key) ??
        (value === undefined
          ? undefined
          : located(node.range, () => expand(value, values, { escape: escapeToken }).text));
      if (chosen !== undefined) values.set(key, chosen);
    }
  }
  return values;
}

/** Proxy build arguments as variables in both spellings, which programs disagree on. */
export function proxyVariables(given: ReadonlyMap<string, string>): string[] {
  const values = new Map<string, string>();
  for (const [name, value] of [...given].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const lower = name.toLowerCase();
    if (PROXIES.includes(lower)) values.set(lower, value);
  }
  return [...values].flatMap(([name, value]) => [`${name.toUpperCase()}=${value}`, `${name}=${value}`]);
}

/** @returns SOURCE_DATE_EPOCH in seconds; undefined where it is not set or empty */
export function sourceDateEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^[+-]?\d{1,15}$/.test(text)) throw new DockerfileError(`invalid SOURCE_DATE_EPOCH: ${text}`);
  return Number(text);
}
