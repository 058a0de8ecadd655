import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CAPABILITIES, DEFAULT_CAPABILITIES } from "../../../../engine/containers/capabilities.ts";
import { DEFAULT_PROFILE } from "../../../../engine/containers/seccomp/default.ts";
import { parseDockerProfile } from "../../../../engine/containers/seccomp/docker-profile.ts";
import { compileFilter } from "../../../../engine/containers/seccomp/filter.ts";
import type { CallTable } from "../../../../engine/containers/seccomp/table.ts";
import { AARCH64 } from "../../../../engine/containers/seccomp/tables/aarch64.ts";
import { I386 } from "../../../../engine/containers/seccomp/tables/i386.ts";
import { X32 } from "../../../../engine/containers/seccomp/tables/x32.ts";
import { X86_64 } from "../../../../engine/containers/seccomp/tables/x86_64.ts";
import { simulate } from "./simulate.ts";

const ABIS: Readonly<Record<string, readonly [architecture: number, table: CallTable, base: number]>> = {
  x86_64: [0xc000003e, X86_64, 0],
  i386: [0x40000003, I386, 0],
  x32: [0xc000003e, X32, 0x40000000],
  aarch64: [0xc00000b7, AARCH64, 0],
};

function verdict(filter: Buffer, abi: string, call: string | number, ...values: readonly bigint[]): string {
  const [architecture, table, base] = ABIS[abi]!;
  const number = typeof call === "number" ? call : table.get(call);
  assert.ok(number !== undefined, `${abi} has no ${call}`);
  const action = simulate(filter, { architecture, number: base + number, arguments: values });
  if (action === 0x7fff0000) return "allow";
  if (action === 0x80000000) return "kill";
  return action >>> 16 === 5 ? `errno ${action & 0xffff}` : action.toString(16);
}

const test = suite("engine/containers/seccomp: filter");
const plain = compileFilter(DEFAULT_PROFILE, new Set(DEFAULT_CAPABILITIES), "x86_64");
const admin = compileFilter(DEFAULT_PROFILE, new Set([...DEFAULT_CAPABILITIES, "CAP_SYS_ADMIN"]), "x86_64");
const EPERM = "errno 1";
const ENOSYS = "errno 38";

for (const [abi, call, values, expected] of [
  ["x86_64", "read", [], "allow"],
  ["x86_64", "execve", [], "allow"],
  ["x86_64", "chroot", [], "allow"],
  ["x86_64", "mseal", [], "allow"],
  ["x86_64", "arch_prctl", [], "allow"],
  ["x86_64", "ptrace", [], "allow"],
  ["x86_64", "mount", [], EPERM],
  ["x86_64", "unshare", [], EPERM],
  ["x86_64", "io_uring_setup", [], EPERM],
  ["x86_64", "keyctl", [], EPERM],
  ["x86_64", "bpf", [], EPERM],
  ["x86_64", "clone3", [], ENOSYS],
  ["x86_64", 600, [], ENOSYS],
  ["x86_64", "clone", [0x11n], "allow"],
  ["x86_64", "clone", [0x10000000n], EPERM],
  ["x86_64", "clone", [0x02000000n], EPERM],
  ["x86_64", "clone", [0x1_0000_0011n], "allow"],
  ["x86_64", "socket", [2n], "allow"],
  ["x86_64", "socket", [38n], EPERM],
  ["x86_64", "socket", [39n], "allow"],
  ["x86_64", "socket", [40n], EPERM],
  ["x86_64", "socket", [41n], "allow"],
  ["x86_64", "personality", [0n], "allow"],
  ["x86_64", "personality", [0x20008n], "allow"],
  ["x86_64", "personality", [0x40000n], EPERM],
  ["x86_64", "personality", [0x1_0000_0000n], EPERM],
  ["i386", "socketcall", [1n], "allow"],
  ["i386", "socket", [40n], EPERM],
  ["i386", "socket", [0xdead_0000_0002n], "allow"],
  ["i386", "umount", [], EPERM],
  ["i386", "clock_gettime64", [], "allow"],
  ["i386", "modify_ldt", [], "allow"],
  ["x32", "execve", [], "allow"],
  ["x32", "mount", [], EPERM],
  ["x32", 700, [], ENOSYS],
] as const) {
  const shown = values.map((value) => `0x${value.toString(16)}`).join(", ");
  test(`${abi}: ${call}(${shown}) → ${expected}`, () => {
    assert.is(verdict(plain, abi, call, ...values), expected);
  });
}

test("with CAP_SYS_ADMIN a container may mount, unshare and clone3", () => {
  for (const call of ["mount", "unshare", "clone3", "bpf"])
    assert.is(verdict(admin, "x86_64", call), "allow", call);
  assert.is(verdict(admin, "x86_64", "clone", 0x7e020000n), "allow");
  assert.is(verdict(admin, "x86_64", "reboot"), EPERM);
});

test("a call of a foreign architecture kills", () => {
  assert.is(simulate(plain, { architecture: 0xc00000b7, number: 63 }), 0x80000000);
});

test("on aarch64 its own table and calls count", () => {
  const arm = compileFilter(DEFAULT_PROFILE, new Set(DEFAULT_CAPABILITIES), "aarch64");
  assert.is(verdict(arm, "aarch64", "openat"), "allow");
  assert.is(verdict(arm, "aarch64", "mount"), EPERM);
  assert.is(verdict(arm, "aarch64", "clone3"), ENOSYS);
});

test("every set of one capability compiles and fits the kernel's limit", () => {
  for (const capability of [...CAPABILITIES]) {
    const filter = compileFilter(DEFAULT_PROFILE, new Set([capability]), "x86_64");
    assert.ok(filter.length / 8 < 1024, `${capability}: ${filter.length / 8} instructions`);
  }
});

test("a profile in Docker's form: default allow, refusals by argument and mask, its own errno", () => {
  const profile = parseDockerProfile(
    JSON.stringify({
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [
        { names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 13 },
        { name: "chmod", action: "SCMP_ACT_ERRNO", args: [{ index: 1, value: 511, op: "SCMP_CMP_EQ" }] },
        {
          names: ["kill"],
          action: "SCMP_ACT_KILL_PROCESS",
          args: [
            { index: 0, value: 100, op: "SCMP_CMP_GE" },
            { index: 1, value: 9, op: "SCMP_CMP_NE" },
          ],
        },
        { names: ["bpf"], action: "SCMP_ACT_ERRNO", excludes: { caps: ["CAP_BPF"] } },
      ],
    }),
  );
  const filter = compileFilter(profile, new Set(["CAP_BPF"]), "x86_64");
  assert.is(verdict(filter, "x86_64", "mkdir"), "errno 13");
  assert.is(verdict(filter, "x86_64", "chmod", 0n, 511n), EPERM);
  assert.is(verdict(filter, "x86_64", "chmod", 0n, 0x1_0000_01ffn), "allow");
  assert.is(verdict(filter, "x86_64", "kill", 100n, 15n), "kill");
  assert.is(verdict(filter, "x86_64", "kill", 99n, 15n), "allow");
  assert.is(verdict(filter, "x86_64", "kill", 0x1_0000_0000n, 9n), "allow");
  assert.is(verdict(filter, "x86_64", "bpf"), "allow");
  assert.is(verdict(filter, "x86_64", 600), "allow");
});

for (const [op, value, held, not] of [
  ["SCMP_CMP_LT", 0x2_0000_0005, [0n, 0x2_0000_0004n, 0x1_ffff_ffffn], [0x2_0000_0005n, 0x3_0000_0000n]],
  ["SCMP_CMP_LE", 0x2_0000_0005, [0n, 0x2_0000_0005n], [0x2_0000_0006n, 0x3_0000_0000n]],
  ["SCMP_CMP_GT", 0x2_0000_0005, [0x2_0000_0006n, 0x3_0000_0000n], [0x2_0000_0005n, 0x1_ffff_ffffn]],
  ["SCMP_CMP_GE", 0x2_0000_0005, [0x2_0000_0005n, 0x3_0000_0000n], [0x2_0000_0004n, 6n]],
  ["SCMP_CMP_NE", 0x2_0000_0005, [5n, 0x2_0000_0004n], [0x2_0000_0005n]],
] as const) {
  test(`${op} looks at both words of an argument`, () => {
    const filter = compileFilter(
      parseDockerProfile(
        JSON.stringify({
          defaultAction: "SCMP_ACT_ERRNO",
          syscalls: [{ names: ["lseek"], action: "SCMP_ACT_ALLOW", args: [{ index: 1, value, op }] }],
        }),
      ),
      new Set(),
      "x86_64",
    );
    for (const each of held) assert.is(verdict(filter, "x86_64", "lseek", 0n, each), "allow", String(each));
    for (const each of not) assert.is(verdict(filter, "x86_64", "lseek", 0n, each), EPERM, String(each));
  });
}

test("what is no profile is refused", () => {
  for (const text of ["", "{", '{"defaultAction":"SCMP_ACT_NONSENSE"}']) {
    assert.throws(() => parseDockerProfile(text), /Decoding seccomp profile failed/, text);
  }
});

test.run();
