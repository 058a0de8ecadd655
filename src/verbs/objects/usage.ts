import type { DiskUsage } from "../../client/types/system.ts";

/** What one kind of objects takes; sizes in bytes. */
export interface KindUsage {
  readonly kind: "Images" | "Containers" | "Volumes" | "Build cache";
  readonly total: number;
  readonly active: number;
  readonly size: number;
  /** What pruning the kind frees. */
  readonly reclaimable: number;
}

export interface ObjectUsage {
  readonly name: string;
  readonly bytes: number;
}

export interface UsageParts {
  readonly images: readonly (ObjectUsage & {
    readonly id: string;
    readonly shared: number;
    readonly unique: number;
    readonly users: number;
  })[];
  readonly containers: readonly (ObjectUsage & { readonly state: string })[];
  readonly volumes: readonly (ObjectUsage & { readonly users: number })[];
  /** Results of build steps that no image has. */
  readonly steps: readonly ObjectUsage[];
}

export function describeUsage({ Images, Containers, Volumes, BuildCache }: DiskUsage): UsageParts {
  return {
    images: (Images ?? []).map((image) => ({
      name: image.RepoTags?.[0] ?? "<none>",
      id: image.Id.slice("sha256:".length, 19),
      bytes: image.Size,
      shared: image.SharedSize,
      unique: image.Size - image.SharedSize,
      users: Math.max(0, image.Containers),
    })),
    containers: (Containers ?? []).map(({ Names, State, SizeRw = 0 }) => ({
      name: Names[0]?.replace(/^\//, "") ?? "",
      state: State,
      bytes: SizeRw,
    })),
    volumes: (Volumes ?? []).map(({ Name, UsageData }) => ({
      name: Name,
      bytes: Math.max(0, UsageData?.Size ?? 0),
      users: Math.max(0, UsageData?.RefCount ?? 0),
    })),
    steps: (BuildCache ?? [])
      .filter(({ Size }) => Size > 0)
      .map(({ ID, Description, Size }) => ({ name: Description ?? ID, bytes: Size })),
  };
}

/** Another engine does not say what can be reclaimed; it is summed up then, as Docker's own client does. */
export function summarizeUsage(usage: DiskUsage): KindUsage[] {
  const { images, containers, volumes, steps } = describeUsage(usage);
  const { Reclaimable } = usage;
  const sum = (objects: readonly ObjectUsage[]): number => objects.reduce((all, { bytes }) => all + bytes, 0);
  const used = images.filter(({ users }) => users > 0);
  const running = containers.filter(({ state }) => !["created", "exited", "dead"].includes(state));
  const mounted = volumes.filter(({ users }) => users > 0);
  const kind = (
    name: KindUsage["kind"],
    all: readonly ObjectUsage[],
    active: readonly ObjectUsage[],
    reclaimable?: number,
  ): KindUsage => ({
    kind: name,
    total: all.length,
    active: active.length,
    size: sum(all),
    reclaimable: reclaimable ?? sum(all) - sum(active),
  });
  const unused = usage.LayersSize - used.reduce((all, { unique }) => all + unique, 0);
  return [
    { ...kind("Images", images, used, Reclaimable?.Images ?? unused), size: usage.LayersSize },
    kind("Containers", containers, running, Reclaimable?.Containers),
    kind("Volumes", volumes, mounted, Reclaimable?.Volumes),
    kind("Build cache", steps, [], Reclaimable?.BuildCache),
  ];
}
