import type { Tools } from "./tools.ts";
import type { ContainerRecord, ResolvedMount } from "./types.ts";

/** The directories of a container's volumes, by name. They cannot be removed until releaseVolumes(). */
export async function acquireVolumes(
  tools: Tools,
  record: ContainerRecord,
): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>();
  for (const mount of record.mounts) {
    if (mount.Type !== "volume" || mount.Name === undefined) continue;
    paths.set(mount.Name, await tools.volumes.acquire(mount.Name, record.id));
    tell(tools, record, "mount", mount);
  }
  return paths;
}

export async function releaseVolumes(tools: Tools, record: ContainerRecord): Promise<void> {
  const volumes = record.mounts.filter(({ Type }) => Type === "volume");
  if (volumes.length > 0) await tools.volumes.release(record.id);
  for (const mount of volumes) tell(tools, record, "unmount", mount);
}

function tell(
  tools: Tools,
  record: ContainerRecord,
  action: "mount" | "unmount",
  mount: ResolvedMount,
): void {
  const attributes = {
    container: record.id,
    driver: mount.Driver ?? "local",
    ...(action === "mount"
      ? { destination: mount.Destination, propagation: mount.Propagation, "read/write": String(mount.RW) }
      : {}),
  };
  tools.events.emit({ type: "volume", action, actor: { id: mount.Name ?? "", attributes } });
}
