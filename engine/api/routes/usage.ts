import type { Builder } from "../../builder/builder.ts";
import type { Containers } from "../../containers/containers.ts";
import { Filters } from "../../filters.ts";
import type { Images } from "../../images/images.ts";
import type { DiskUsage } from "../../images/usage.ts";
import type { Workers } from "../../native/workers.ts";
import type { Paths } from "../../store/paths.ts";
import type { Volumes } from "../../volumes/volumes.ts";
import type { Route } from "../router.ts";
import { listed } from "./images.ts";
import { volumeOnWire } from "./volumes.ts";

export interface UsageDeps {
  readonly paths: Paths;
  readonly containers: Containers;
  readonly images: Images;
  readonly volumes: Volumes;
  readonly workers: Workers;
  readonly builder: Builder;
}

/**
 * `GET /system/df`: who takes how much of the disk, in bytes of the file system. `type` asks for some kinds only.
 *
 * `Reclaimable`, which Docker does not send, says for each kind what its prune frees: layers that are shared cannot be
 * told from the sizes.
 */
export function usageRoutes(deps: UsageDeps): Route[] {
  return [
    {
      method: "GET",
      path: "/system/df",
      async handle({ query, version }, reply) {
        const asked = query.list("type");
        const wants = (type: string): boolean => asked.length === 0 || asked.includes(type);
        const usage = await deps.images.usage();
        const containers = wants("container") ? await containerUsage(deps) : undefined;
        const volumes = wants("volume") ? await volumeUsage(deps) : undefined;
        const cache = wants("build-cache") ? await cacheUsage(deps, usage) : undefined;
        reply.json(200, {
          LayersSize: usage.total,
          Images: wants("image") ? imageUsage(deps, usage, version) : null,
          Containers: containers ?? null,
          Volumes: volumes ?? null,
          BuildCache: cache ?? null,
          Reclaimable: {
            Images: usage.reclaimable,
            Containers: sum((containers ?? []).filter(isStopped).map(({ SizeRw = 0 }) => SizeRw)),
            Volumes: sum((volumes ?? []).filter(isUnused).map(({ UsageData }) => UsageData.Size)),
            BuildCache: sum((cache ?? []).map(({ Size }) => Size)),
          },
        });
      },
    },
  ];
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all + size, 0);
}

function imageUsage({ containers, images }: UsageDeps, usage: DiskUsage, version: number): object[] {
  const users = (id: string): number => containers.all().filter(({ record }) => record.imageId === id).length;
  const sizes = new Map(usage.images.map((entry) => [entry.image.id, entry]));
  return listed(images, new Filters(), false, version).map((image) => {
    const { Id } = image as { Id: string };
    const { shared = 0, unique = 0 } = sizes.get(Id) ?? {};
    return { ...image, Containers: users(Id), SharedSize: shared, Size: shared + unique };
  });
}

interface ContainerUsage {
  readonly State: string;
  readonly SizeRw?: number;
}

function isStopped({ State }: ContainerUsage): boolean {
  return ["created", "exited", "dead"].includes(State);
}

/** With all that is kept for them: logs and records, too. */
async function containerUsage({ containers, workers, paths }: UsageDeps): Promise<ContainerUsage[]> {
  const listed = await containers.list({ all: true, limit: 0, size: false, filters: new Filters() });
  return Promise.all(
    listed.map(async (container) => {
      const path = paths.container((container as { Id: string }).Id);
      const { disk } = await workers.measure({ kind: "dir", path });
      return { ...(container as ContainerUsage), SizeRw: disk };
    }),
  );
}

interface VolumeUsage {
  readonly UsageData: { readonly Size: number; readonly RefCount: number };
}

function isUnused({ UsageData }: VolumeUsage): boolean {
  return UsageData.RefCount === 0;
}

async function volumeUsage({ volumes }: UsageDeps): Promise<VolumeUsage[]> {
  return Promise.all(
    volumes.list().map(async (volume) => ({
      ...volumeOnWire(volume),
      UsageData: { Size: await volumes.size(volume.Name), RefCount: volumes.users(volume.Name).length },
    })),
  );
}

/** One entry for each step whose result is kept. A layer that an image has, or an earlier entry, counts there. */
async function cacheUsage({ builder, workers }: UsageDeps, usage: DiskUsage): Promise<CacheEntry[]> {
  const seen = new Set<string>();
  const mounts = (await builder.cacheMounts.list(workers)).map(({ id, name, bytes, inUse, usedAt }) => {
    const time = new Date(usedAt).toISOString();
    return {
      ID: name.slice(0, 25),
      Type: "exec.cachemount",
      Description: `cached mount ${id}`,
      InUse: inUse,
      Shared: false,
      Size: bytes,
      CreatedAt: time,
      LastUsedAt: time,
      UsageCount: 1,
    };
  });
  const steps = await Promise.all(
    builder.cache.all().map(async (step) => {
      const isFirst = !seen.has(step.diffId);
      seen.add(step.diffId);
      const size = isFirst ? await usage.layerOnly(step.diffId) : 0;
      return {
        ID: step.key.slice(0, 25),
        Type: "regular",
        Description: step.title,
        InUse: false,
        Shared: size === 0,
        Size: size,
        CreatedAt: step.created,
        LastUsedAt: new Date(step.usedAt).toISOString(),
        UsageCount: step.uses,
      };
    }),
  );
  return [...steps, ...mounts];
}

interface CacheEntry {
  readonly Size: number;
}
