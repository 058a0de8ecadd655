import { EngineError } from "../errors.ts";
import { hostPlatform } from "../images/import.ts";
import type { Platform } from "../images/types.ts";

/** What may stand alone in a platform. @see containerd/platforms, database.go */
const SYSTEMS = new Set([
  "linux",
  "windows",
  "darwin",
  "freebsd",
  "netbsd",
  "openbsd",
  "solaris",
  "aix",
  "plan9",
]);
const ARCHITECTURES = new Set([
  ...["386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle"],
  ...["ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x", "wasm"],
]);

/** "linux/arm64/v8"; undefined for "". @throws {EngineError} invalid */
export function platformOf(text: string): Platform | undefined {
  if (text === "") return undefined;
  const parts = text.toLowerCase().split("/");
  const bad = (why: string): EngineError => new EngineError("invalid", `${why}: invalid argument`);
  const odd = parts.find((part) => !/^[a-z0-9_-]+$/.test(part));
  if (odd !== undefined) {
    throw bad(
      `"${odd}" is an invalid component of "${text}": platform specifier component must match "^[A-Za-z0-9_-]+$"`,
    );
  }
  const [os = "", architecture, variant, ...more] = parts;
  if (more.length > 0) throw bad(`"${text}": cannot parse platform specifier`);
  if (architecture === undefined) {
    if (SYSTEMS.has(os)) return { ...hostPlatform(), os };
    if (!ARCHITECTURES.has(os)) throw bad(`"${text}": unknown operating system or architecture`);
    return { os: "linux", architecture: os };
  }
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
