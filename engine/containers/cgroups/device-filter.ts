import type { DeviceRule } from "../devices.ts";

/**
 * The device rules of a cgroup v2 container as a BPF_PROG_TYPE_CGROUP_DEVICE program: an array of struct bpf_insn.
 *
 * As in the v1 files the last rule that matches decides, so they are tested from the end; none is "no".
 *
 * @see linux/bpf.h, struct bpf_cgroup_dev_ctx { access_type; major; minor }
 */
export function deviceProgram(rules: readonly DeviceRule[]): Buffer {
  const program: Buffer[] = [
    instruction(LOAD, TYPE, CONTEXT, 0),
    instruction(AND_NUMBER, TYPE, 0, 0, 0xffff),
    instruction(LOAD, ACCESS, CONTEXT, 0),
    instruction(SHIFT_RIGHT, ACCESS, 0, 0, 16),
    instruction(LOAD, MAJOR, CONTEXT, 4),
    instruction(LOAD, MINOR, CONTEXT, 8),
  ];
  for (const rule of rules.toReversed()) program.push(...ruleCode(rule));
  program.push(...answer(0));
  return Buffer.concat(program);
}

const ANSWER = 0;
const CONTEXT = 1;
const TYPE = 2;
const ACCESS = 3;
const MAJOR = 4;
const MINOR = 5;
const SCRATCH = 6;

const LOAD = 0x61; // BPF_LDX | BPF_MEM | BPF_W
const AND_NUMBER = 0x54; // BPF_ALU | BPF_AND | BPF_K
const SHIFT_RIGHT = 0x74; // BPF_ALU | BPF_RSH | BPF_K
const COPY = 0xbc; // BPF_ALU | BPF_MOV | BPF_X
const UNLESS_NUMBER = 0x55; // BPF_JMP | BPF_JNE | BPF_K
const UNLESS_EQUAL = 0x5d; // BPF_JMP | BPF_JNE | BPF_X
const SET = 0xb7; // BPF_ALU64 | BPF_MOV | BPF_K
const EXIT = 0x95;

const TYPES = { b: 1, c: 2 } as const;
const ACCESSES: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
const EVERY_ACCESS = 7;

function ruleCode(rule: DeviceRule): readonly Buffer[] {
  const access = [...rule.access].reduce((bits, letter) => bits | (ACCESSES[letter] ?? 0), 0);
  // Each test is made for the number of instructions that it has to skip.
  const tests: ((skip: number) => Buffer)[] = [];
  if (rule.type !== "a") {
    const type = TYPES[rule.type];
    tests.push((skip) => instruction(UNLESS_NUMBER, TYPE, 0, skip, type));
  }
  if (access !== EVERY_ACCESS) {
    tests.push(() => instruction(COPY, SCRATCH, ACCESS, 0));
    tests.push(() => instruction(AND_NUMBER, SCRATCH, 0, 0, access));
    tests.push((skip) => instruction(UNLESS_EQUAL, SCRATCH, ACCESS, skip));
  }
  if (rule.major !== undefined) {
    const { major } = rule;
    tests.push((skip) => instruction(UNLESS_NUMBER, MAJOR, 0, skip, major));
  }
  if (rule.minor !== undefined) {
    const { minor } = rule;
    tests.push((skip) => instruction(UNLESS_NUMBER, MINOR, 0, skip, minor));
  }
  const end = answer(rule.allow ? 1 : 0);
  return [...tests.map((make, index) => make(tests.length - index - 1 + end.length)), ...end];
}

function answer(value: 0 | 1): readonly Buffer[] {
  return [instruction(SET, ANSWER, 0, 0, value), instruction(EXIT, 0, 0, 0)];
}

function instruction(code: number, target: number, source: number, offset: number, number = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt8(target | (source << 4), 1);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(number, 4);
  return bytes;
}
