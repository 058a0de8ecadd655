import { posix } from "node:path";
import { EngineError } from "../errors.ts";
import type { ContainerConfig, HostConfig, MountRequest, ResolvedMount } from "./types.ts";

/** A mount as it was asked for, before volumes exist: `Name` is absent where one has to be made. */
export type WantedMount = Omit<ResolvedMount, "Source"> & {
  readonly Source: string;
  /** For a volume that has to be made. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly driver?: string;
  readonly driverOptions?: Readonly<Record<string, string>>;
};

/**
 * All mounts of a container, in the order of mounting: parents before children.
 *
 * @param inherited the mounts of the containers in `VolumesFrom`, in its order
 * @throws {EngineError} invalid, in Docker's words, for what cannot be read and for two mounts at one place
 */
export function wantedMounts(
  config: ContainerConfig,
  hostConfig: HostConfig,
  inherited: readonly ResolvedMount[] = [],
): readonly WantedMount[] {
  const mounts = new Map<string, WantedMount>(inherited.map((mount) => [mount.Destination, mount]));
  const seen = new Set<string>();
  const add = (mount: WantedMount): void => {
    if (seen.has(mount.Destination))
      throw new EngineError("invalid", `Duplicate mount point: ${mount.Destination}`);
    refuseProc(mount);
    seen.add(mount.Destination);
    mounts.set(mount.Destination, mount);
  };
  const driver = hostConfig.VolumeDriver || "local";
  for (const bind of hostConfig.Binds ?? []) {
    const mount = parseBind(bind);
    add(mount.Type === "volume" ? { ...mount, Driver: driver } : mount);
  }
  for (const mount of hostConfig.Mounts ?? []) add(parseMount(mount));
  for (const [target, options] of Object.entries(hostConfig.Tmpfs ?? {})) add(tmpfs(target, options));
  for (const target of Object.keys(config.Volumes ?? {})) {
    const destination = cleanTarget(target, target);
    if (!mounts.has(destination)) mounts.set(destination, { ...anonymous(destination), Driver: driver });
  }
  return [...mounts.values()].sort((a, b) => depth(a.Destination) - depth(b.Destination));
}

/** What programs that show a container its own limits put there. @see runc, libcontainer/rootfs_linux.go */
const PROC_FILES = ["cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo"];
const PROC_PATHS = ["net/dev", "sys/kernel/ns_last_pid", "sys/crypto/fips_enabled"];

/** A /proc that is none would have labels, settings and masks written to files of the image's (CVE-2019-16884). */
function refuseProc({ Destination, Source }: WantedMount): void {
  if (Destination === "/proc" && Source === "/proc") return;
  const inside = /^\/proc(?:\/(.*))?$/.exec(Destination);
  if (inside === null || [...PROC_FILES, ...PROC_PATHS].includes(inside[1] ?? "")) return;
  const reason = `${JSON.stringify(Destination)} cannot be mounted because it is inside /proc`;
  throw new EngineError("invalid", reason);
}

/** `SOURCE:TARGET[:OPTIONS]`, or `TARGET` for a new volume. */
export function parseBind(spec: string): WantedMount {
  const parts = spec.split(":");
  const [first = "", second, options = ""] = parts;
  if (parts.length > 3 || first === "" || second === "") throw invalidSpec(spec);
  if (second === undefined) return anonymous(cleanTarget(first, spec));
  const destination = cleanTarget(second, spec);
  const mode = parseMode(options);
  if (first.startsWith("/")) {
    return {
      Type: "bind",
      Source: posix.normalize(first).replace(/(.)\/$/, "$1"),
      Destination: destination,
      Mode: options,
      RW: mode.writable,
      Propagation: mode.propagation ?? "rprivate",
      recursive: mode.propagation === undefined || mode.propagation.startsWith("r"),
      createSource: true,
    };
  }
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(first)) {
    const hint =
      'only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path';
    const reason = `create ${first}: ${JSON.stringify(first)} includes invalid characters for a local volume name, ${hint}`;
    throw new EngineError("invalid", reason);
  }
  return {
    Type: "volume",
    Name: first,
    Source: "",
    Destination: destination,
    Driver: "local",
    Mode: options === "" ? "z" : options,
    RW: mode.writable,
    Propagation: mode.propagation ?? "",
    copyUp: mode.copy,
  };
}

function parseMount(mount: MountRequest): WantedMount {
  const invalid = (why: string): EngineError =>
    new EngineError("invalid", `invalid mount config for type ${JSON.stringify(mount.Type ?? "")}: ${why}`);
  const target = mount.Target ?? "";
  if (target === "") throw invalid("field Target must not be empty");
  if (!target.startsWith("/")) throw invalid(`invalid mount path: '${target}' mount path must be absolute`);
  const destination = posix.normalize(target).replace(/(.)\/$/, "$1");
  if (destination === "/") throw invalid("invalid specification: destination can't be '/'");
  const base = { Destination: destination, RW: mount.ReadOnly !== true };
  switch (mount.Type) {
    case "bind": {
      const source = mount.Source ?? "";
      if (source === "") throw invalid("field Source must not be empty");
      if (!source.startsWith("/"))
        throw invalid(`invalid mount path: '${source}' mount path must be absolute`);
      return {
        ...base,
        Type: "bind",
        Source: source,
        Mode: "",
        Propagation: mount.BindOptions?.Propagation || "rprivate",
        recursive: mount.BindOptions?.NonRecursive !== true,
        createSource: mount.BindOptions?.CreateMountpoint === true,
      };
    }
    case "volume": {
      const options = mount.VolumeOptions;
      if (options?.Subpath && !isInside(options.Subpath)) {
        throw invalid("subpath must be a relative path within the volume");
      }
      const name = mount.Source ?? "";
      return {
        ...base,
        Type: "volume",
        ...(name === "" ? { anonymous: true } : { Name: name }),
        Source: "",
        Driver: options?.DriverConfig?.Name || "local",
        Mode: "z",
        Propagation: "",
        copyUp: options?.NoCopy !== true,
        ...(options?.Subpath ? { subpath: options.Subpath } : {}),
        ...(options?.Labels === undefined ? {} : { labels: options.Labels }),
        ...(options?.DriverConfig?.Options === undefined
          ? {}
          : { driverOptions: options.DriverConfig.Options }),
      };
    }
    case "tmpfs": {
      const { SizeBytes = 0, Mode = 0, Options = [] } = mount.TmpfsOptions ?? {};
      const options = [
        ...(base.RW ? [] : ["ro"]),
        ...(SizeBytes > 0 ? [`size=${SizeBytes}`] : []),
        ...(Mode > 0 ? [`mode=${Mode.toString(8)}`] : []),
        ...Options.map((pair) => pair.join("=")),
      ];
      return { ...base, Type: "tmpfs", Source: "", Mode: "", Propagation: "", options: options.join(",") };
    }
    default:
      throw invalid("mount type unknown");
  }
}

function isInside(subpath: string): boolean {
  return !subpath.startsWith("/") && !posix.normalize(subpath).split("/").includes("..");
}

/** `--tmpfs TARGET:OPTIONS`; inspect does not list it among the mounts, as it is in HostConfig.Tmpfs. */
function tmpfs(target: string, options: string): WantedMount {
  const destination = cleanTarget(target, `${target}:${options}`);
  const readonly = options.split(",").includes("ro");
  return {
    Type: "tmpfs",
    Source: "",
    Destination: destination,
    Mode: options,
    RW: !readonly,
    Propagation: "",
    options,
    unlisted: true,
  };
}

function anonymous(destination: string): WantedMount {
  return {
    Type: "volume",
    Source: "",
    Destination: destination,
    Driver: "local",
    Mode: "",
    RW: true,
    Propagation: "",
    anonymous: true,
    copyUp: true,
  };
}

function cleanTarget(target: string, spec: string): string {
  if (!target.startsWith("/")) {
    throw new EngineError(
      "invalid",
      `invalid volume specification: '${spec}': invalid mount path: '${target}' mount path must be absolute`,
    );
  }
  const clean = posix.normalize(target).replace(/(.)\/$/, "$1");
  if (clean === "/") {
    throw new EngineError(
      "invalid",
      `invalid volume specification: '${spec}': invalid specification: destination can't be '/'`,
    );
  }
  return clean;
}

const PROPAGATIONS = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

function parseMode(options: string): {
  readonly writable: boolean;
  readonly copy: boolean;
  readonly propagation: string | undefined;
} {
  const words = options === "" ? [] : options.split(",");
  const given = MODES.map((group) => words.filter((word) => group.includes(word)));
  // One word of a kind, and none that is of no kind.
  if (given.some((group) => group.length > 1) || given.flat().length < words.length) {
    throw new EngineError("invalid", `invalid mode: ${options}`);
  }
  const propagation = words.find((word) => PROPAGATIONS.includes(word));
  return { writable: !words.includes("ro"), copy: !words.includes("nocopy"), propagation };
}

/** Labels of SELinux and the consistency of macOS have no meaning here, and do no harm. */
const MODES: readonly (readonly string[])[] = [
  ["ro", "rw"],
  ["z", "Z"],
  ["nocopy"],
  PROPAGATIONS,
  ["cached", "delegated", "consistent", "default"],
];

function invalidSpec(spec: string): EngineError {
  return new EngineError("invalid", `invalid volume specification: '${spec}'`);
}

function depth(path: string): number {
  return path.split("/").length;
}
