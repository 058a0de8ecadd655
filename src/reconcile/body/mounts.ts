import type { MountConfig, MountSettings } from "dockerode";
import type { FileMount, Mount, Project, Service } from "../../model/types.ts";
import { parseBytes } from "../../model/units.ts";
import type { BodyInput } from "./body.ts";

export interface MountFields {
  readonly Binds?: string[];
  readonly Mounts?: MountConfig;
  readonly Tmpfs?: Record<string, string>;
}

/** A bind whose host path the engine should make where it is missing is text (`Binds`); all else is `Mounts`. */
export function mountFields({ project, service, carried }: BodyInput): MountFields {
  const volumes = service.volumes ?? [];
  const binds = volumes.filter(createsHostPath).map(bindText);
  const files = [...boundFiles(project, service, "secrets"), ...boundFiles(project, service, "configs")];
  const given = volumes
    .filter((mount) => !createsHostPath(mount))
    .map((mount) => settings(project, mount, carried));
  const targets = new Set(volumes.map(({ target }) => target));
  const kept = Object.entries(carried)
    .filter(([target]) => !targets.has(target))
    .map(([target, source]): MountSettings => ({ Type: "volume", Source: source, Target: target }));
  const mounts = [...given, ...kept, ...files];
  const tmpfs = (service.tmpfs ?? []).map((text) => /^([^:]+)(?::(.*))?$/.exec(text)!);
  return {
    ...(binds.length > 0 && { Binds: binds }),
    ...(mounts.length > 0 && { Mounts: mounts }),
    ...(tmpfs.length > 0 && {
      Tmpfs: Object.fromEntries(tmpfs.map(([, path, options]) => [path!, options ?? ""])),
    }),
  };
}

/**
 * Whether a secret or config is a file that can be bind-mounted as it is. One with an owner or a mode of its own, or
 * whose content is not in a file, is put into the container instead.
 */
export function isBound(project: Project, kind: "secrets" | "configs", given: FileMount): boolean {
  const { uid, gid, mode } = given;
  return (
    project[kind][given.source]?.file !== undefined &&
    uid === undefined &&
    gid === undefined &&
    mode === undefined
  );
}

/** Whether files have to be put into the containers of a service before they start. */
export function needsFiles(project: Project, service: Service): boolean {
  return (["secrets", "configs"] as const).some((kind) =>
    (service[kind] ?? []).some((given) => !isBound(project, kind, given)),
  );
}

/** Where a secret or config is seen in the container. */
export function fileTarget(kind: "secrets" | "configs", { source, target }: FileMount): string {
  if (target?.startsWith("/")) return target;
  return kind === "secrets" ? `/run/secrets/${target ?? source}` : `/${target ?? source}`;
}

function boundFiles(project: Project, service: Service, kind: "secrets" | "configs"): MountSettings[] {
  return (service[kind] ?? [])
    .filter((given) => isBound(project, kind, given))
    .map((given) => ({
      Type: "bind",
      Source: project[kind][given.source]!.file!,
      Target: fileTarget(kind, given),
      ReadOnly: true,
    }));
}

function createsHostPath(mount: Mount): boolean {
  return (
    mount.type === "bind" && mount.bind?.create_host_path !== false && mount.bind?.recursive === undefined
  );
}

/** @see docker/compose pkg/compose/create.go, `recursive` */
function bindOptions({ bind }: Mount): Record<string, unknown> {
  return {
    ...(bind?.propagation && { Propagation: bind.propagation }),
    ...(bind?.recursive === "disabled" && { NonRecursive: true }),
    ...(bind?.recursive === "writable" && { ReadOnlyNonRecursive: true }),
    ...(bind?.recursive === "readonly" && { ReadOnlyForceRecursive: true }),
    ...(bind?.create_host_path && { CreateMountpoint: true }),
  };
}

function bindText({ source, target, read_only, bind }: Mount): string {
  const options = [read_only ? "ro" : "rw", bind?.selinux, bind?.propagation].filter((option) => option);
  return `${source}:${target}:${options.join(",")}`;
}

function settings(project: Project, mount: Mount, carried: Readonly<Record<string, string>>): MountSettings {
  const { type, target } = mount;
  const source = mount.source ?? carried[target];
  const result: Record<string, unknown> = { Type: type, Target: target };
  if (mount.read_only) result["ReadOnly"] = true;
  if (type === "volume") {
    if (source) result["Source"] = project.volumes[source]?.name ?? source;
    const { nocopy, subpath, labels } = mount.volume ?? {};
    if (nocopy || subpath || labels) {
      result["VolumeOptions"] = {
        ...(nocopy && { NoCopy: nocopy }),
        ...(subpath && { Subpath: subpath }),
        ...(labels && { Labels: labels }),
      };
    }
  } else if (type === "tmpfs") {
    const { size, mode } = mount.tmpfs ?? {};
    if (size || mode !== undefined) {
      result["TmpfsOptions"] = {
        ...(size && { SizeBytes: parseBytes(size) }),
        ...(mode !== undefined && { Mode: mode }),
      };
    }
  } else {
    result["Source"] = source;
    if (type === "image" && mount.image?.subpath) result["ImageOptions"] = { Subpath: mount.image.subpath };
    const bind = type === "bind" ? bindOptions(mount) : {};
    if (Object.keys(bind).length > 0) result["BindOptions"] = bind;
  }
  // dockerode's type asks for fields that the API leaves optional.
  return result as unknown as MountSettings;
}
