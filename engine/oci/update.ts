import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { EngineError } from "../errors.ts";
import type { OciResources } from "./config.ts";
import type { readCommand } from "./flags.ts";

type UpdateFlags = ReturnType<typeof readCommand<"update">>["values"];

/** The limits that `update` is to set: a file's or stdin's alone, or one an option. @throws {EngineError} invalid */
export async function requestedResources(flags: UpdateFlags): Promise<OciResources> {
  const { resources: file } = flags;
  if (file !== undefined) {
    const content = file === "-" ? await text(process.stdin) : await readFile(file, "utf8");
    return JSON.parse(content) as OciResources;
  }
  const number = (name: keyof UpdateFlags & string): number | undefined => {
    const value = flags[name];
    if (value === undefined) return undefined;
    if (!/^-?\d+$/.test(String(value))) throw new EngineError("invalid", `--${name} ${value} is no number`);
    return Number(value);
  };
  const group = (values: Readonly<Record<string, number | string | undefined>>): object =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  const pids = number("pids-limit");
  return {
    memory: group({
      limit: number("memory"),
      swap: number("memory-swap"),
      reservation: number("memory-reservation"),
    }),
    cpu: group({
      period: number("cpu-period"),
      quota: number("cpu-quota"),
      shares: number("cpu-share"),
      realtimePeriod: number("cpu-rt-period"),
      realtimeRuntime: number("cpu-rt-runtime"),
      cpus: flags["cpuset-cpus"],
      mems: flags["cpuset-mems"],
    }),
    blockIO: group({ weight: number("blkio-weight") }),
    ...(pids === undefined ? {} : { pids: { limit: pids } }),
  };
}
