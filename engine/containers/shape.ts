/** The kinds of values that request bodies hold: a number where a text belongs is told at once, and by its name. */
import { EngineError } from "../errors.ts";

type Kind = "string" | "bool" | "int" | "strings" | "texts" | "object" | "list";

/** As Go calls them, whose words clients know. */
const NAMES: Readonly<Record<Kind, string>> = {
  string: "string",
  bool: "bool",
  int: "int64",
  strings: "[]string",
  texts: "map[string]string",
  object: "object",
  list: "[]object",
};

type Fields = Readonly<Record<string, Kind>>;

const CONFIG: Fields = {
  ...each("string", "Hostname", "Domainname", "User", "Image", "WorkingDir", "MacAddress", "StopSignal"),
  ...each("bool", "AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce"),
  ...each("bool", "NetworkDisabled", "ArgsEscaped"),
  ...each("strings", "Env", "OnBuild", "Shell"),
  ...each("object", "ExposedPorts", "Volumes", "Healthcheck", "HostConfig", "NetworkingConfig"),
  Labels: "texts",
  StopTimeout: "int",
};

const RESOURCES: Fields = {
  ...each("int", "CpuShares", "Memory", "NanoCpus", "BlkioWeight", "CpuPeriod", "CpuQuota"),
  ...each("int", "CpuRealtimePeriod", "CpuRealtimeRuntime", "KernelMemory", "MemoryReservation"),
  ...each("int", "MemorySwap", "MemorySwappiness", "PidsLimit"),
  ...each("string", "CgroupParent", "CpusetCpus", "CpusetMems"),
  ...each("list", "BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps"),
  ...each("list", "BlkioDeviceWriteIOps", "Devices", "DeviceRequests", "Ulimits"),
  DeviceCgroupRules: "strings",
  OomKillDisable: "bool",
  RestartPolicy: "object",
};

const HOST_CONFIG: Fields = {
  ...RESOURCES,
  ...each("strings", "Binds", "VolumesFrom", "CapAdd", "CapDrop", "Dns", "DnsOptions", "DnsSearch"),
  ...each("strings", "ExtraHosts", "GroupAdd", "Links", "SecurityOpt", "MaskedPaths", "ReadonlyPaths"),
  ...each("string", "ContainerIDFile", "NetworkMode", "VolumeDriver", "CgroupnsMode", "IpcMode", "Cgroup"),
  ...each("string", "PidMode", "UTSMode", "UsernsMode", "Runtime", "Isolation"),
  ...each("bool", "AutoRemove", "Privileged", "PublishAllPorts", "ReadonlyRootfs", "Init"),
  ...each("int", "OomScoreAdj", "ShmSize"),
  ...each("texts", "Annotations", "StorageOpt", "Tmpfs", "Sysctls"),
  ...each("object", "LogConfig", "PortBindings"),
  Mounts: "list",
};

const HEALTHCHECK: Fields = {
  Test: "strings",
  ...each("int", "Interval", "Timeout", "Retries", "StartPeriod", "StartInterval"),
};

/** @throws {EngineError} invalid, naming the field, for a body of POST /containers/create of other kinds */
export function checkCreateShape(body: object): void {
  checkFields(body, CONFIG, "ContainerConfigWrapper.");
  const { HostConfig, Healthcheck } = body as { HostConfig?: object | null; Healthcheck?: object | null };
  if (HostConfig != null) checkFields(HostConfig, HOST_CONFIG, "HostConfig.");
  if (Healthcheck != null) checkFields(Healthcheck, HEALTHCHECK, "Healthcheck.");
}

/** @throws {EngineError} invalid, naming the field, for a body of POST /containers/{id}/update of other kinds */
export function checkUpdateShape(body: object): void {
  checkFields(body, RESOURCES, "UpdateConfig.");
}

function checkFields(body: object, fields: Fields, where: string): void {
  for (const [name, value] of Object.entries(body)) {
    const kind = fields[name];
    if (kind === undefined || value === null || fits(value, kind)) continue;
    const reason = `invalid JSON: json: cannot unmarshal ${nameOf(value)} into Go struct field ${where}${name} of type ${NAMES[kind]}`;
    throw new EngineError("invalid", reason);
  }
}

function fits(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case "string":
      return typeof value === "string";
    case "bool":
      return typeof value === "boolean";
    case "int":
      return Number.isInteger(value);
    case "strings":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    case "texts":
      return isObject(value) && Object.values(value).every((item) => typeof item === "string");
    case "object":
      return isObject(value);
    case "list":
      return Array.isArray(value) && value.every((item) => item === null || isObject(item));
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nameOf(value: unknown): string {
  if (typeof value === "number") return `number ${value}`;
  return Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
}

function each(kind: Kind, ...names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, kind]));
}
