import { EngineError } from "../../errors.ts";
import type { Action, Comparison, Condition, Machine, Profile, Rule } from "./profile.ts";

/** The form of `--security-opt seccomp=FILE`, as far as it matters here; the client sends the file's text. */
interface DockerProfile {
  readonly defaultAction?: string;
  readonly defaultErrnoRet?: number;
  readonly syscalls?:
    | readonly {
        readonly name?: string;
        readonly names?: readonly string[];
        readonly action: string;
        readonly errnoRet?: number;
        readonly args?:
          | readonly {
              readonly index: number;
              readonly value: number;
              readonly valueTwo?: number;
              readonly op: string;
            }[]
          | null;
        readonly includes?: Selection;
        readonly excludes?: Selection;
      }[]
    | null;
}

interface Selection {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}

/** @throws {EngineError} invalid, if the text is no profile */
export function parseDockerProfile(text: string): Profile {
  const invalid = (why: string, cause?: unknown): EngineError =>
    new EngineError("invalid", `Decoding seccomp profile failed: ${why}`, { cause });
  let profile: DockerProfile;
  try {
    profile = JSON.parse(text) as DockerProfile;
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : "not JSON", cause);
  }
  const action = (name: string | undefined, value: number | undefined): Action => {
    const found = ACTIONS[name ?? ""];
    if (found === undefined) throw invalid(`unknown action ${JSON.stringify(name)}`);
    return found === "errno" || found === "trace" ? { kind: found, value: value ?? EPERM } : { kind: found };
  };
  return {
    otherwise: action(profile.defaultAction, profile.defaultErrnoRet),
    rules: (profile.syscalls ?? []).flatMap((call): readonly Rule[] => {
      if (!onThisKind(call.includes, call.excludes)) return [];
      const machines = machinesOf(call.includes, call.excludes);
      return [
        {
          names: call.names ?? (call.name === undefined ? [] : [call.name]),
          action: action(call.action, call.errnoRet),
          conditions: (call.args ?? []).map((argument): Condition => {
            const is = COMPARISONS[argument.op];
            if (is === undefined) throw invalid(`unknown operator ${JSON.stringify(argument.op)}`);
            const value = BigInt(argument.value);
            return { index: argument.index, is, value, masked: BigInt(argument.valueTwo ?? 0) };
          }),
          ...(call.includes?.caps === undefined ? {} : { withCapabilities: call.includes.caps }),
          ...(call.excludes?.caps === undefined ? {} : { withoutCapabilities: call.excludes.caps }),
          ...(machines === undefined ? {} : { machines }),
        },
      ];
    }),
  };
}

const EPERM = 1;

const ACTIONS: Readonly<Record<string, Action["kind"]>> = {
  SCMP_ACT_ALLOW: "allow",
  SCMP_ACT_ERRNO: "errno",
  SCMP_ACT_TRACE: "trace",
  SCMP_ACT_TRAP: "trap",
  SCMP_ACT_LOG: "log",
  SCMP_ACT_KILL: "kill",
  SCMP_ACT_KILL_THREAD: "kill",
  SCMP_ACT_KILL_PROCESS: "killProcess",
};

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  SCMP_CMP_EQ: "==",
  SCMP_CMP_NE: "!=",
  SCMP_CMP_LT: "<",
  SCMP_CMP_LE: "<=",
  SCMP_CMP_GT: ">",
  SCMP_CMP_GE: ">=",
  SCMP_CMP_MASKED_EQ: "masked",
};

/** Names of Go for the machines that the engine runs on. */
const MACHINES: Readonly<Record<string, Machine>> = { amd64: "x86_64", arm64: "aarch64" };

/** A rule for older kernels than any that the engine runs on is never left out: 5.10 is the oldest. */
function onThisKind(includes: Selection | undefined, excludes: Selection | undefined): boolean {
  return includes?.arches?.some((name) => name in MACHINES) !== false && excludes?.minKernel === undefined;
}

function machinesOf(
  includes: Selection | undefined,
  excludes: Selection | undefined,
): readonly Machine[] | undefined {
  const known = Object.entries(MACHINES);
  if (includes?.arches === undefined && excludes?.arches === undefined) return undefined;
  return known
    .filter(([name]) => includes?.arches === undefined || includes.arches.includes(name))
    .filter(([name]) => !excludes?.arches?.includes(name))
    .map(([, machine]) => machine);
}
