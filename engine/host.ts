import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { cpus, hostname, release, totalmem } from "node:os";

/** What `docker info` says about the machine. */
export interface Host {
  readonly name: string;
  /** `x86_64`, `aarch64`: the kernel's word. */
  readonly machine: string;
  /** `amd64`, `arm64`: the images' word. */
  readonly architecture: string;
  readonly kernel: string;
  readonly system: string;
  readonly systemVersion: string;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly cgroupVersion: "1" | "2";
  /** `net:[4026531840]`: a client in the same one can see who has a port. */
  readonly networkNamespace: string;
}

const MACHINES: Readonly<Record<string, readonly [machine: string, architecture: string]>> = {
  x64: ["x86_64", "amd64"],
  arm64: ["aarch64", "arm64"],
};

export function readHost(): Host {
  const [machine, architecture] = MACHINES[process.arch] ?? [process.arch, process.arch];
  const release_ = osRelease();
  return {
    name: hostname(),
    machine,
    architecture,
    kernel: release(),
    system: release_["PRETTY_NAME"] ?? "Linux",
    systemVersion: release_["VERSION_ID"] ?? "",
    cpus: cpus().length,
    memory: totalmem(),
    cgroupVersion: existsSync("/sys/fs/cgroup/cgroup.controllers") ? "2" : "1",
    networkNamespace: readlinkSync("/proc/self/ns/net"),
  };
}

/** @see os-release(5): `KEY=value` or `KEY="value"` */
function osRelease(): Readonly<Record<string, string>> {
  for (const file of ["/etc/os-release", "/usr/lib/os-release"]) {
    try {
      const pairs = [...readFileSync(file, "utf8").matchAll(/^([A-Z_]+)="?([^"\n]*)"?$/gm)];
      return Object.fromEntries(pairs.map(([, key = "", value = ""]) => [key, value]));
    } catch {
      // The other one may be there.
    }
  }
  return {};
}
