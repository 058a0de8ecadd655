import { parseDuration } from "../duration.ts";
import { EngineError } from "../errors.ts";
import type { Healthcheck } from "./types.ts";

/** Flags that hold a duration, and the field that each sets. */
const DURATIONS: Readonly<Record<string, "Interval" | "Timeout" | "StartPeriod" | "StartInterval">> = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
};

/**
 * Reads what follows HEALTHCHECK: `NONE`, or flags and `CMD` with a command.
 *
 * @param command reads the command, in its JSON or shell form
 * @throws {EngineError} invalid, in Docker's words
 */
export function healthChange(
  value: string,
  command: (text: string) => readonly string[] | undefined,
): Healthcheck {
  let rest = value;
  let health: Healthcheck = {};
  for (let flag = FLAG.exec(rest); flag !== null; flag = FLAG.exec(rest)) {
    const [all, name = "", text = ""] = flag;
    rest = rest.slice(all.length);
    const field = DURATIONS[name];
    if (field !== undefined) health = { ...health, [field]: parseDuration(text) };
    else if (name === "retries" && /^\d+$/.test(text)) health = { ...health, Retries: Number(text) };
    else throw new EngineError("invalid", `unknown flag: --${name}`);
  }
  const [, kind = "", words = ""] = /^(\S*)\s*([\s\S]*)$/.exec(rest) ?? [];
  if (kind.toUpperCase() === "NONE") {
    if (words !== "") throw new EngineError("invalid", "HEALTHCHECK NONE takes no arguments");
    return { Test: ["NONE"] };
  }
  if (kind.toUpperCase() !== "CMD") {
    throw new EngineError("invalid", `Unknown type ${JSON.stringify(kind)} in HEALTHCHECK (try CMD)`);
  }
  if (words === "") throw new EngineError("invalid", "Missing command after HEALTHCHECK CMD");
  const list = command(words);
  return { Test: list === undefined ? ["CMD-SHELL", words] : ["CMD", ...list], ...health };
}

const FLAG = /^--([a-z-]+)=(\S*)\s+/;
