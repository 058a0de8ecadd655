import { encode, type Instruction, jumpTo, leaf, load, ret, type Segment, search } from "./bpf.ts";
import type { Action, Condition, Machine, Profile } from "./profile.ts";
import type { CallTable } from "./table.ts";
import { AARCH64 } from "./tables/aarch64.ts";
import { I386 } from "./tables/i386.ts";
import { X32 } from "./tables/x32.ts";
import { X86_64 } from "./tables/x86_64.ts";

/** Offsets in struct seccomp_data. */
const NUMBER = 0;
const ARCHITECTURE = 4;
/** Marks a call of the x32 ABI, which has the architecture of x86_64. */
const X32_BIT = 0x40000000;
const ENOSYS = 38;

interface Abi {
  /** AUDIT_ARCH_… of linux/audit.h. */
  readonly architecture: number;
  readonly table: CallTable;
  readonly x32?: CallTable;
  readonly bits: 32 | 64;
}

/** 32-bit ARM programs on aarch64 are refused: their table is not here. */
const ABIS: Readonly<Record<Machine, readonly Abi[]>> = {
  x86_64: [
    { architecture: 0xc000003e, table: X86_64, x32: X32, bits: 64 },
    { architecture: 0x40000003, table: I386, bits: 32 },
  ],
  aarch64: [{ architecture: 0xc00000b7, table: AARCH64, bits: 64 }],
};

interface Alternative {
  readonly action: Action;
  readonly conditions: readonly Condition[];
}

/**
 * Compiles a profile to the program that seccomp(2) loads.
 *
 * Numbers are found by binary search over the runs of calls that end alike, after a switch by architecture. Numbers
 * above the newest that the profile names fail with ENOSYS, as runc has it: libc's fallbacks for newer calls
 * depend on it. A call of an architecture that is not the machine's kills the process.
 *
 * @param capabilities the bounding set of the container, as `CAP_…`
 * @returns an array of struct sock_filter, for the kernel's limit of 4096
 * @throws {RangeError} if the profile needs more
 */
export function compileFilter(profile: Profile, capabilities: ReadonlySet<string>, machine: Machine): Buffer {
  const calls = callsFor(profile, capabilities, machine);
  const program: Instruction[] = [load(ARCHITECTURE)];
  for (const abi of ABIS[machine]) {
    const body = abiBody(abi, calls, profile.otherwise);
    program.push(...jumpTo("==", abi.architecture, body.length), ...body);
  }
  program.push(ret({ kind: "killProcess" }));
  return encode(program);
}

/** What is allowed by name, after capabilities and machine are known. */
function callsFor(
  profile: Profile,
  capabilities: ReadonlySet<string>,
  machine: Machine,
): ReadonlyMap<string, readonly Alternative[]> {
  const calls = new Map<string, Alternative[]>();
  for (const rule of profile.rules) {
    if (rule.withCapabilities?.some((name) => !capabilities.has(name))) continue;
    if (rule.withoutCapabilities?.some((name) => capabilities.has(name))) continue;
    if (rule.machines !== undefined && !rule.machines.includes(machine)) continue;
    for (const name of rule.names) {
      const alternatives = calls.get(name) ?? [];
      for (const conditions of splitConditions(rule.conditions ?? [])) {
        alternatives.push({ action: rule.action, conditions });
      }
      calls.set(name, alternatives);
    }
  }
  return calls;
}

/** Two conditions on one argument are alternatives: a single rule cannot say both (libseccomp, and so runc, hold it so). */
function splitConditions(conditions: readonly Condition[]): readonly (readonly Condition[])[] {
  const indexes = new Set(conditions.map((condition) => condition.index));
  return indexes.size < conditions.length ? conditions.map((condition) => [condition]) : [conditions];
}

function abiBody(
  abi: Abi,
  calls: ReadonlyMap<string, readonly Alternative[]>,
  otherwise: Action,
): readonly Instruction[] {
  const main = search(segments(abi.table, calls, otherwise, abi.bits));
  if (abi.x32 === undefined) return [load(NUMBER), ...main];
  const x32 = search(segments(abi.x32, calls, otherwise, abi.bits, X32_BIT));
  return [load(NUMBER), ...jumpTo(">=", X32_BIT, x32.length), ...x32, ...main];
}

/** The numbers of one ABI cut into runs that end alike, in order, from 0 to the greatest number. */
function segments(
  table: CallTable,
  calls: ReadonlyMap<string, readonly Alternative[]>,
  otherwise: Action,
  bits: 32 | 64,
  base = 0,
): readonly Segment[] {
  const byNumber = new Map<number, readonly Alternative[]>();
  for (const [name, alternatives] of calls) {
    const number = table.get(name);
    if (number !== undefined) byNumber.set(number, alternatives);
  }
  const newest = Math.max(-1, ...byNumber.keys());
  const runs: Segment[] = [];
  let last = "";
  const add = (number: number, code: readonly Instruction[]): void => {
    const text = JSON.stringify(code);
    if (text !== last) runs.push({ from: base + number, code });
    last = text;
  };
  for (let number = 0; number <= newest; number++) {
    add(number, leaf(byNumber.get(number) ?? [], otherwise, bits));
  }
  const open = otherwise.kind === "allow" || otherwise.kind === "log" || otherwise.kind === "trace";
  add(newest + 1, [ret(open ? otherwise : { kind: "errno", value: ENOSYS })]);
  return runs;
}
