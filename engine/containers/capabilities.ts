import { EngineError } from "../errors.ts";

/** In the order of their numbers, from 0 (linux/capability.h, Linux 5.9 and later). */
export const CAPABILITIES = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
].map((name) => `CAP_${name}`);

/** What Docker grants unless told otherwise: 0xa80425fb. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FSETID",
  "FOWNER",
  "MKNOD",
  "NET_RAW",
  "SETGID",
  "SETUID",
  "SETFCAP",
  "SETPCAP",
  "NET_BIND_SERVICE",
  "SYS_CHROOT",
  "KILL",
  "AUDIT_WRITE",
].map((name) => `CAP_${name}`);

export interface CapabilityOptions {
  readonly privileged?: boolean;
  readonly add?: readonly string[] | null;
  readonly drop?: readonly string[] | null;
  /** What the engine itself may pass on, as CAP_… names; what it lacks is left out of `ALL` and of privileged. */
  readonly available: ReadonlySet<string>;
}

/**
 * The capabilities of a container, in the order of their numbers.
 *
 * `add: ALL` begins with all, `drop: ALL` with none, then each name is added or dropped; drop wins over the defaults,
 * an explicit add over `drop: ALL`.
 *
 * @throws {EngineError} invalid for a name that Linux does not have
 * @see moby, oci/caps/utils.go, TweakCapabilities
 */
export function containerCapabilities(options: CapabilityOptions): readonly string[] {
  const { available } = options;
  if (options.privileged) return CAPABILITIES.filter((name) => available.has(name));
  const add = (options.add ?? []).map((name) => normalName(name, "CapAdd"));
  const drop = (options.drop ?? []).map((name) => normalName(name, "CapDrop"));
  let base: readonly string[];
  if (add.includes(ALL)) base = CAPABILITIES.filter((name) => available.has(name) && !drop.includes(name));
  else if (drop.includes(ALL)) base = [];
  else base = DEFAULT_CAPABILITIES.filter((name) => !drop.includes(name));
  const chosen = new Set([...base, ...add.filter((name) => name !== ALL)]);
  return CAPABILITIES.filter((name) => chosen.has(name));
}

/** The bit mask that capset(2) wants, over two words. */
export function capabilityMask(names: Iterable<string>): bigint {
  let mask = 0n;
  for (const name of names) mask |= 1n << BigInt(CAPABILITIES.indexOf(name));
  return mask;
}

/** The names in a mask as /proc/PID/status prints it, in hexadecimal. */
export function namesOfMask(hex: string): ReadonlySet<string> {
  const mask = BigInt(`0x${hex}`);
  return new Set(CAPABILITIES.filter((_, number) => (mask >> BigInt(number)) & 1n));
}

const ALL = "ALL";

function normalName(given: string, option: string): string {
  const upper = given.toUpperCase();
  if (upper === ALL) return ALL;
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (!CAPABILITIES.includes(name))
    throw new EngineError("invalid", `invalid ${option}: unknown capability: "${name}"`);
  return name;
}
