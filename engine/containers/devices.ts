import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../errors.ts";
import type { DeviceMapping, HostConfig, Resources } from "./types.ts";

/** A node in the container's /dev. */
export interface DeviceNode {
  readonly path: string;
  readonly type: "c" | "b";
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** One line for the device controller; undefined numbers mean any. The last rule that matches decides. */
export interface DeviceRule {
  readonly allow: boolean;
  readonly type: "a" | "c" | "b";
  readonly major: number | undefined;
  readonly minor: number | undefined;
  /** Of r, w and m (mknod). */
  readonly access: string;
}

export interface ContainerDevices {
  readonly nodes: readonly DeviceNode[];
  /** undefined: no restriction. */
  readonly rules: readonly DeviceRule[] | undefined;
}

/** What every container has in /dev, as Docker: null zero full random urandom tty. */
export const DEFAULT_NODES: readonly DeviceNode[] = (
  [
    ["null", 1, 3],
    ["zero", 1, 5],
    ["full", 1, 7],
    ["random", 1, 8],
    ["urandom", 1, 9],
    ["tty", 5, 0],
  ] as const
).map(([name, major, minor]) => ({
  path: `/dev/${name}`,
  type: "c",
  major,
  minor,
  mode: 0o666,
  uid: 0,
  gid: 0,
}));

/** Nodes of any kind may be made, but only these opened; fuse is refused by name, as Docker does. */
export const DEFAULT_RULES: readonly DeviceRule[] = [
  rule("c", undefined, undefined, "m"),
  rule("b", undefined, undefined, "m"),
  ...([3, 5, 7, 8, 9] as const).map((minor) => rule("c", 1, minor, "rwm")),
  ...([0, 1, 2] as const).map((minor) => rule("c", 5, minor, "rwm")),
  rule("c", 136, undefined, "rwm"),
  { ...rule("c", 10, 229, "rwm"), allow: false },
];

/**
 * The devices of a container.
 *
 * @throws {EngineError} invalid, if a device is absent, is none, or a rule cannot be read
 */
export async function containerDevices(hostConfig: HostConfig): Promise<ContainerDevices> {
  if (hostConfig.Privileged)
    return { nodes: merge([...(await hostNodes("/dev")), ...DEFAULT_NODES]), rules: undefined };
  const mapped = (await Promise.all((hostConfig.Devices ?? []).map(mappedDevices))).flat();
  return {
    nodes: merge([...DEFAULT_NODES, ...mapped.map(({ node }) => node)]),
    rules: [
      ...DEFAULT_RULES,
      ...mapped.map(({ node, access }) => rule(node.type, node.major, node.minor, access)),
      ...(hostConfig.DeviceCgroupRules ?? []).map(parseRule),
    ],
  };
}

/** The device numbers of the paths in block I/O limits. @throws {EngineError} invalid for what is no device */
export async function throttleNumbers(resources: Resources): Promise<ReadonlyMap<string, string>> {
  const paths = [
    ...(resources.BlkioDeviceReadBps ?? []),
    ...(resources.BlkioDeviceWriteBps ?? []),
    ...(resources.BlkioDeviceReadIOps ?? []),
    ...(resources.BlkioDeviceWriteIOps ?? []),
    ...(resources.BlkioWeightDevice ?? []),
  ].map(({ Path }) => Path);
  const pairs = paths.map(async (path) => {
    const node = await deviceAt(path, path);
    if (node === undefined) throw new EngineError("invalid", `${path} is not a device`);
    return [path, `${node.major}:${node.minor}`] as const;
  });
  return new Map(await Promise.all(pairs));
}

async function mappedDevices(
  mapping: DeviceMapping,
): Promise<readonly { readonly node: DeviceNode; readonly access: string }[]> {
  const access = mapping.CgroupPermissions || "rwm";
  if (!/^[rwm]+$/.test(access)) throw new EngineError("invalid", `invalid device mode: ${access}`);
  const target = mapping.PathInContainer || mapping.PathOnHost;
  const info = await stat(mapping.PathOnHost).catch((cause) => {
    const reason = `error gathering device information while adding custom device "${mapping.PathOnHost}": no such file or directory`;
    throw new EngineError("invalid", reason, { cause });
  });
  if (info.isDirectory()) {
    const nodes = await hostNodes(mapping.PathOnHost, target);
    return nodes.map((node) => ({ node, access }));
  }
  const node = await deviceAt(mapping.PathOnHost, target);
  if (node === undefined) {
    const reason = `error gathering device information while adding custom device "${mapping.PathOnHost}": not a device node`;
    throw new EngineError("invalid", reason);
  }
  return [{ node, access }];
}

/** Parts of /dev that are file systems or links of their own. */
const NOT_DEVICES = new Set([
  "pts",
  "shm",
  "fd",
  "mqueue",
  ".lxc",
  ".lxd-mounts",
  ".udev",
  "console",
  "ptmx",
]);

async function hostNodes(directory: string, target = directory): Promise<readonly DeviceNode[]> {
  const nodes: DeviceNode[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (NOT_DEVICES.has(entry.name)) continue;
    const [from, to] = [join(directory, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) nodes.push(...(await hostNodes(from, to)));
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) continue;
    const node = await deviceAt(from, to);
    if (node !== undefined) nodes.push(node);
  }
  return nodes;
}

async function deviceAt(path: string, target: string): Promise<DeviceNode | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined || !(info.isCharacterDevice() || info.isBlockDevice())) return undefined;
  return {
    path: target,
    type: info.isCharacterDevice() ? "c" : "b",
    major: major(info.rdev),
    minor: minor(info.rdev),
    mode: info.mode & 0o777,
    uid: info.uid,
    gid: info.gid,
  };
}

/** @see makedev(3): 12 bits of major and 20 of minor, interleaved; the parts above 32 bits are not in use */
function major(device: number): number {
  return (device >>> 8) & 0xfff;
}

function minor(device: number): number {
  return (device & 0xff) | ((device >>> 12) & 0xfff00);
}

/** `c 42:* rwm` of `--device-cgroup-rule`. */
function parseRule(text: string): DeviceRule {
  const found = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
  if (found === null) throw new EngineError("invalid", `invalid device cgroup rule format: '${text}'`);
  const number = (part: string | undefined): number | undefined => (part === "*" ? undefined : Number(part));
  return rule(found[1] as DeviceRule["type"], number(found[2]), number(found[3]), found[4] ?? "rwm");
}

function rule(
  type: DeviceRule["type"],
  major: number | undefined,
  minor: number | undefined,
  access: string,
): DeviceRule {
  return { allow: true, type, major, minor, access };
}

/** Of two nodes at one path the later stands. */
function merge(nodes: readonly DeviceNode[]): readonly DeviceNode[] {
  return [...new Map(nodes.map((node) => [node.path, node])).values()];
}
