import type { Action, Comparison, Condition } from "./profile.ts";

/** One struct sock_filter. Jumps count instructions from the next one on. */
export interface Instruction {
  readonly code: number;
  readonly yes: number;
  readonly no: number;
  readonly k: number;
}

/** Numbers from `from` up to the next segment end in `code`, which always returns. */
export interface Segment {
  readonly from: number;
  readonly code: readonly Instruction[];
}

const LD_ABS = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JMP = 0x05; // BPF_JMP | BPF_JA
const JEQ = 0x15;
const JGT = 0x25;
const JGE = 0x35;
const AND = 0x54;
const RET = 0x06;
/** Conditional jumps have 8 bits. */
const FAR = 255;
/** BPF_MAXINSNS. */
const LIMIT = 4096;

/** The offset of the first argument in struct seccomp_data; each has 8 bytes, low word first. */
const ARGUMENTS = 16;

export function load(offset: number): Instruction {
  return { code: LD_ABS, yes: 0, no: 0, k: offset };
}

export function ret(action: Action): Instruction {
  return { code: RET, yes: 0, no: 0, k: actionValue(action) };
}

/** Goes on if the loaded word compares so, else skips the next `length` instructions, however many they are. */
export function jumpTo(is: "==" | ">=", value: number, length: number): readonly Instruction[] {
  const code = is === "==" ? JEQ : JGE;
  if (length <= FAR) return [{ code, yes: 0, no: length, k: value }];
  return [
    { code, yes: 1, no: 0, k: value },
    { code: JMP, yes: 0, no: 0, k: length },
  ];
}

/** A binary search by the loaded word. Every path returns. */
export function search(segments: readonly Segment[]): readonly Instruction[] {
  const [first] = segments;
  if (first === undefined) throw new TypeError("a search needs a segment");
  if (segments.length === 1) return first.code;
  const middle = segments.length >> 1;
  const low = search(segments.slice(0, middle));
  const high = search(segments.slice(middle));
  const at = segments[middle]?.from ?? 0;
  if (low.length <= FAR) return [{ code: JGE, yes: low.length, no: 0, k: at }, ...low, ...high];
  return [{ code: JGE, yes: 0, no: 1, k: at }, { code: JMP, yes: 0, no: 0, k: low.length }, ...low, ...high];
}

/**
 * The end of a search: tests the arguments of one call and returns.
 *
 * The first alternative without conditions stands for all of them, as in libseccomp.
 */
export function leaf(
  alternatives: readonly { readonly action: Action; readonly conditions: readonly Condition[] }[],
  otherwise: Action,
  bits: 32 | 64,
): readonly Instruction[] {
  const plain = alternatives.find((alternative) => alternative.conditions.length === 0);
  if (plain !== undefined) return [ret(plain.action)];
  return [
    ...alternatives.flatMap(({ action, conditions }) => guarded(conditions, ret(action), bits)),
    ret(otherwise),
  ];
}

/** Reaches `then` if all conditions hold, else what follows it. Built from the end, so that distances are known. */
function guarded(conditions: readonly Condition[], then: Instruction, bits: 32 | 64): readonly Instruction[] {
  let code: readonly Instruction[] = [then];
  for (const condition of conditions.toReversed()) code = [...test(condition, code.length, bits), ...code];
  return code;
}

/** Tests one argument: falls through if it holds, else skips `rest` instructions more. */
function test(condition: Condition, rest: number, bits: 32 | 64): readonly Instruction[] {
  const { index, is, value, masked = 0n } = condition;
  const low = ARGUMENTS + 8 * index;
  const mask = is === "masked" ? value : undefined;
  const wanted = is === "masked" ? masked : value;
  // A 32-bit program's arguments have nothing in the high word, and the kernel leaves it undefined there.
  const words = bits === 64 ? [{ offset: low + 4, shift: 32n }] : [];
  const lowTest = compareLow(
    is,
    low,
    word(wanted, 0n),
    mask === undefined ? undefined : word(mask, 0n),
    rest,
  );
  let code = lowTest;
  for (const { offset, shift } of words) {
    const highMask = mask === undefined ? undefined : word(mask, shift);
    if (highMask === 0 && word(wanted, shift) === 0) continue;
    code = [...compareHigh(is, offset, word(wanted, shift), highMask, code.length, rest), ...code];
  }
  return code;
}

/** Decides by the high word where it can; if it equals the wanted one, the `low` instructions after it decide. */
function compareHigh(
  is: Comparison,
  offset: number,
  wanted: number,
  mask: number | undefined,
  low: number,
  rest: number,
): readonly Instruction[] {
  const pass = low;
  const fail = low + rest;
  switch (is) {
    case "==":
    case "masked":
      return [load(offset), ...masking(mask), { code: JEQ, yes: 0, no: fail, k: wanted }];
    case "!=":
      return [load(offset), { code: JEQ, yes: 0, no: pass, k: wanted }];
    case "<":
    case "<=":
      return [
        load(offset),
        { code: JGT, yes: fail + 1, no: 0, k: wanted },
        { code: JEQ, yes: 0, no: pass, k: wanted },
      ];
    case ">":
    case ">=":
      return [
        load(offset),
        { code: JGT, yes: pass + 1, no: 0, k: wanted },
        { code: JEQ, yes: 0, no: fail, k: wanted },
      ];
  }
}

function compareLow(
  is: Comparison,
  offset: number,
  wanted: number,
  mask: number | undefined,
  rest: number,
): readonly Instruction[] {
  const compare = (code: number, holds: boolean): Instruction =>
    holds ? { code, yes: 0, no: rest, k: wanted } : { code, yes: rest, no: 0, k: wanted };
  const tests: Readonly<Record<Comparison, Instruction>> = {
    "==": compare(JEQ, true),
    masked: compare(JEQ, true),
    "!=": compare(JEQ, false),
    "<": compare(JGE, false),
    "<=": compare(JGT, false),
    ">": compare(JGT, true),
    ">=": compare(JGE, true),
  };
  return [load(offset), ...masking(mask), tests[is]];
}

function masking(mask: number | undefined): readonly Instruction[] {
  return mask === undefined ? [] : [{ code: AND, yes: 0, no: 0, k: mask }];
}

function word(value: bigint, shift: bigint): number {
  return Number((value >> shift) & 0xffffffffn);
}

/** SECCOMP_RET_… of linux/seccomp.h. */
function actionValue(action: Action): number {
  switch (action.kind) {
    case "allow":
      return 0x7fff0000;
    case "log":
      return 0x7ffc0000;
    case "trace":
      return 0x7ff00000 | (action.value & 0xffff);
    case "errno":
      return 0x00050000 | (action.value & 0xffff);
    case "trap":
      return 0x00030000;
    case "kill":
      return 0x00000000;
    case "killProcess":
      return 0x80000000;
  }
}

export function encode(program: readonly Instruction[]): Buffer {
  if (program.length > LIMIT) {
    throw new RangeError(`the seccomp filter has ${program.length} instructions; the kernel takes ${LIMIT}`);
  }
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(({ code, yes, no, k }, index) => {
    if (yes > FAR || no > FAR) throw new RangeError("a jump of the seccomp filter is too far");
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(yes, index * 8 + 2);
    bytes.writeUInt8(no, index * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, index * 8 + 4);
  });
  return bytes;
}
