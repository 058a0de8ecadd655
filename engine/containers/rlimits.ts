import { EngineError } from "../errors.ts";
import type { Ulimit } from "./types.ts";

/** RLIMIT_* of asm-generic/resource.h. */
const RESOURCES = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

export interface Rlimit {
  readonly resource: number;
  /** -1 is unlimited. */
  readonly soft: bigint;
  readonly hard: bigint;
}

/** @throws {EngineError} invalid for a limit that Linux does not have, or a soft one above the hard */
export function rlimits(ulimits: readonly Ulimit[]): readonly Rlimit[] {
  return ulimits.map(({ Name, Soft, Hard }) => {
    const resource = (RESOURCES as Readonly<Record<string, number>>)[Name];
    if (resource === undefined) throw new EngineError("invalid", `invalid ulimit type: ${Name}`);
    if (Hard !== -1 && (Soft === -1 || Soft > Hard)) {
      throw new EngineError(
        "invalid",
        `ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`,
      );
    }
    return { resource, soft: BigInt(Soft), hard: BigInt(Hard) };
  });
}
