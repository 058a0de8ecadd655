/** What options of one container exclude each other, or reach past it: pure, and in Docker's words. */
import { EngineError } from "../errors.ts";
import type { ContainerConfig, CreateRequest, HealthConfig, HostConfig, RestartPolicy } from "./types.ts";

/**
 * @param request as it came, before defaults are filled in
 * @throws {EngineError} invalid
 * @see moby, runconfig/hostconfig_unix.go, validateNetMode
 */
export function refuseConflicts(request: CreateRequest): void {
  const hostConfig = request.HostConfig ?? {};
  refuseSharedNetwork(request, hostConfig);
  if (hostConfig.UTSMode === "host" && request.Hostname) {
    throw conflicting("hostname and the UTS mode");
  }
  refuseSysctls(hostConfig);
  const { MacAddress = "" } = request;
  if (MacAddress !== "" && !/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(MacAddress)) {
    throw new EngineError("invalid", `invalid MAC address ${MacAddress}`);
  }
  checkHealth(request);
  checkRestartPolicy(hostConfig.RestartPolicy);
}

/** Who takes part in another container's network has its names, ports and servers. */
function refuseSharedNetwork(config: ContainerConfig, hostConfig: HostConfig): void {
  const mode = hostConfig.NetworkMode ?? "";
  if (mode === "container:") {
    throw new EngineError("invalid", "Invalid network mode: invalid container format container:<name|id>");
  }
  const links = (hostConfig.Links ?? []).length > 0;
  if (mode === "host" && links) {
    throw conflicting(
      "host type networking can't be used with links. This would result in undefined behavior",
    );
  }
  if (!mode.startsWith("container:")) return;
  if (links) {
    throw conflicting(
      "container type network can't be used with links. This would result in undefined behavior",
    );
  }
  if (config.Hostname) throw conflicting("hostname and the network mode");
  if ((hostConfig.Dns ?? []).length > 0) throw conflicting("dns and the network mode");
  if ((hostConfig.ExtraHosts ?? []).length > 0) {
    throw conflicting("custom host-to-IP mapping and the network mode");
  }
  if (hostConfig.PublishAllPorts || Object.keys(hostConfig.PortBindings ?? {}).length > 0) {
    throw conflicting("port publishing and the container type network mode");
  }
  if (Object.keys(config.ExposedPorts ?? {}).length > 0) {
    throw conflicting("port exposing and the container type network mode");
  }
}

/** Each namespace has settings of its own; all others are the machine's. @see runc, configs/validate, sysctl */
const IPC_SYSCTLS =
  /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\..+)$/;

function refuseSysctls({ Sysctls, NetworkMode, IpcMode, UTSMode }: HostConfig): void {
  for (const written of Object.keys(Sysctls ?? {})) {
    // Both spellings name one file, and neither may leave /proc/sys.
    const name = written.replaceAll("/", ".");
    const refuse = (where: string): never => {
      throw new EngineError("invalid", `sysctl ${JSON.stringify(written)} ${where}`);
    };
    if (!/^[\w.:-]+$/.test(name) || name.includes("..")) refuse("is not the name of a setting");
    if (IPC_SYSCTLS.test(name)) {
      if (IpcMode === "host") refuse("is not allowed in the hosts ipc namespace");
    } else if (name.startsWith("net.")) {
      if (NetworkMode === "host") refuse("not allowed in host network namespace");
    } else if (name === "kernel.domainname") {
      if (UTSMode === "host") refuse("is not allowed in the hosts uts namespace");
    } else refuse("is not in a separate kernel namespace");
  }
}

const MILLISECOND = 1e6;

function checkHealth({ Healthcheck }: ContainerConfig): void {
  if (Healthcheck == null) return;
  const kind = Healthcheck.Test?.[0];
  if (kind !== undefined && !["", "NONE", "CMD", "CMD-SHELL"].includes(kind)) {
    throw new EngineError("invalid", `Unknown healthcheck type ${JSON.stringify(kind)} (expected 'CMD')`);
  }
  for (const name of [
    "Interval",
    "Timeout",
    "StartPeriod",
    "StartInterval",
  ] as const satisfies readonly (keyof HealthConfig)[]) {
    const value = Healthcheck[name] ?? 0;
    if (value !== 0 && value < MILLISECOND) {
      throw new EngineError("invalid", `${name} in Healthcheck cannot be less than 1ms`);
    }
  }
  if ((Healthcheck.Retries ?? 0) < 0) {
    throw new EngineError("invalid", "Retries in Healthcheck cannot be negative");
  }
}

const POLICIES = ["", "no", "always", "unless-stopped", "on-failure"];

/** @throws {EngineError} invalid */
export function checkRestartPolicy(policy: RestartPolicy | null | undefined): void {
  const { Name = "", MaximumRetryCount = 0 } = policy ?? {};
  const refuse = (why: string): never => {
    throw new EngineError("invalid", `invalid restart policy: ${why}`);
  };
  if (!POLICIES.includes(Name)) {
    refuse(`unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`);
  }
  if (MaximumRetryCount < 0) refuse("maximum retry count cannot be negative");
  if (MaximumRetryCount > 0 && Name !== "on-failure") {
    refuse("maximum retry count can only be used with 'on-failure'");
  }
}

function conflicting(what: string): EngineError {
  return new EngineError("invalid", `conflicting options: ${what}`);
}
