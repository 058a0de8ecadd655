import type { HealthTest } from "./commands.ts";
import { parseDuration } from "./duration.ts";
import { readFlags } from "./flags.ts";
import type { Node } from "./parse.ts";
import { DockerfileError } from "./position.ts";

/** @param node HEALTHCHECK with at least one argument */
export function readHealthcheck(node: Node): HealthTest {
  const kind = node.args[0]!.value.toUpperCase();
  const words = node.args.slice(1).map(({ value }) => value);
  const none = { Interval: 0, Timeout: 0, StartPeriod: 0, StartInterval: 0, Retries: 0 };
  if (kind === "NONE") {
    if (words.length > 0) throw new DockerfileError("HEALTHCHECK NONE takes no arguments");
    return { Test: ["NONE"], ...none };
  }
  const flags = readFlags(node.flags, {
    interval: "text",
    timeout: "text",
    "start-period": "text",
    "start-interval": "text",
    retries: "text",
  });
  if (kind !== "CMD") throw new DockerfileError(`Unknown type "${kind}" in HEALTHCHECK (try CMD)`);
  if (words.length === 0) throw new DockerfileError("Missing command after HEALTHCHECK CMD");
  return {
    Test: [node.json ? "CMD" : "CMD-SHELL", ...words],
    Interval: interval("interval", flags.interval),
    Timeout: interval("timeout", flags.timeout),
    StartPeriod: interval("start-period", flags["start-period"]),
    StartInterval: interval("start-interval", flags["start-interval"]),
    Retries: retries(flags.retries),
  };
}

function interval(name: string, text: string | undefined): number {
  const nanoseconds = text === undefined || text === "" ? 0 : parseDuration(text);
  if (nanoseconds !== 0 && nanoseconds < 1e6)
    throw new DockerfileError(`Interval "${name}" cannot be less than 1ms`);
  return nanoseconds;
}

function retries(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  if (!/^[+-]?\d+$/.test(text))
    throw new DockerfileError(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  if (Number(text) < 0) throw new DockerfileError(`--retries cannot be negative (${Number(text)})`);
  return Number(text);
}
