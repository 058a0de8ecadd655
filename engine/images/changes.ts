import { posix } from "node:path";
import { EngineError } from "../errors.ts";
import { healthChange } from "./health-change.ts";
import type { RunConfig } from "./types.ts";

type Change = (config: RunConfig, value: string) => RunConfig;

/** The Dockerfile instructions that `import` and `commit` take. */
const CHANGES: Readonly<Record<string, Change>> = {
  CMD: (config, value) => ({ ...config, Cmd: command(value) }),
  ENTRYPOINT: (config, value) => ({ ...config, Entrypoint: command(value) }),
  ENV: (config, value) => {
    const pairs = keyValues(value);
    const kept = (config.Env ?? []).filter((entry) => !pairs.some(([key]) => entry.startsWith(`${key}=`)));
    return { ...config, Env: [...kept, ...pairs.map(([key, text]) => `${key}=${text}`)] };
  },
  EXPOSE: (config, value) => ({ ...config, ExposedPorts: { ...config.ExposedPorts, ...keys(ports(value)) } }),
  HEALTHCHECK: (config, value) => ({ ...config, Healthcheck: healthChange(value, jsonList) }),
  LABEL: (config, value) => ({
    ...config,
    Labels: { ...config.Labels, ...Object.fromEntries(keyValues(value)) },
  }),
  ONBUILD: (config, value) => ({ ...config, OnBuild: [...(config.OnBuild ?? []), value] }),
  STOPSIGNAL: (config, value) => ({ ...config, StopSignal: value }),
  USER: (config, value) => ({ ...config, User: value }),
  VOLUME: (config, value) => ({
    ...config,
    Volumes: { ...config.Volumes, ...keys(jsonList(value) ?? words(value)) },
  }),
  WORKDIR: (config, value) => ({ ...config, WorkingDir: posix.resolve("/", config.WorkingDir ?? "", value) }),
};

/**
 * Applies instructions in order.
 *
 * @throws {EngineError} invalid, in Docker's words for an instruction that is not taken here
 */
export function applyChanges(config: RunConfig, changes: readonly string[]): RunConfig {
  return changes.reduce((sum, line) => {
    const [, name = "", value = ""] = /^\s*(\S+)\s*(.*?)\s*$/s.exec(line) ?? [];
    const change = CHANGES[name.toUpperCase()];
    if (change === undefined)
      throw new EngineError("invalid", `${name.toUpperCase()} is not a valid change command`);
    if (value === "")
      throw new EngineError("invalid", `${name.toUpperCase()} requires at least one argument`);
    return change(sum, value);
  }, config);
}

function command(value: string): readonly string[] {
  return jsonList(value) ?? ["/bin/sh", "-c", value];
}

function jsonList(value: string): string[] | undefined {
  if (!value.startsWith("[")) return undefined;
  try {
    const list = JSON.parse(value) as unknown;
    return Array.isArray(list) && list.every((item) => typeof item === "string") ? list : undefined;
  } catch {
    return undefined;
  }
}

/** Splits at blanks outside quotes; quotes and backslashes are taken off. */
function words(value: string): string[] {
  const found = value.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs) ?? [];
  return found.map((word) =>
    word.replace(
      /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs,
      (_, escaped?: string, double?: string, single?: string) =>
        escaped ?? single ?? (double ?? "").replace(/\\(["\\$])/g, "$1"),
    ),
  );
}

/** `a=b c="d e"`, or the old form `a b c`, in which all after the first word is the value. */
function keyValues(value: string): [string, string][] {
  const parts = words(value);
  if (!parts[0]?.includes("=")) {
    const [, key = "", text = ""] = /^(\S+)\s+(.*)$/s.exec(value) ?? [];
    if (key === "")
      throw new EngineError(
        "invalid",
        `Syntax error - can't find = in "${value}". Must be of the form: name=value`,
      );
    return [[key, text]];
  }
  return parts.map((part) => {
    const at = part.indexOf("=");
    if (at < 1)
      throw new EngineError(
        "invalid",
        `Syntax error - can't find = in "${part}". Must be of the form: name=value`,
      );
    return [part.slice(0, at), part.slice(at + 1)];
  });
}

function ports(value: string): string[] {
  return words(value).map((port) => {
    if (!/^\d+(?:-\d+)?(?:\/(?:tcp|udp|sctp))?$/i.test(port))
      throw new EngineError("invalid", `invalid containerPort: ${port}`);
    return port.includes("/") ? port.toLowerCase() : `${port}/tcp`;
  });
}

function keys(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
