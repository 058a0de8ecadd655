import type { Builder } from "../../builder/builder.ts";
import type { Containers } from "../../containers/containers.ts";
import { Filters } from "../../filters.ts";
import type { Images } from "../../images/images.ts";
import type { Workers } from "../../native/workers.ts";
import type { Volumes } from "../../volumes/volumes.ts";
import type { Route } from "../router.ts";
import { listed } from "./images.ts";
import { volumeOnWire } from "./volumes.ts";

export interface UsageDeps {
  readonly containers: Containers;
  readonly images: Images;
  readonly volumes: Volumes;
  readonly workers: Workers;
  readonly builder: Builder;
}

/** `GET /system/df`: who takes how much of the disk, in bytes. `type` asks for some kinds only. */
export function usageRoutes(deps: UsageDeps): Route[] {
  return [
    {
      method: "GET",
      path: "/system/df",
      async handle({ query, version }, reply) {
        const asked = query.list("type");
        const wants = (type: string): boolean => asked.length === 0 || asked.includes(type);
        const [containers, volumes] = await Promise.all([
          wants("container") ? containerUsage(deps) : undefined,
          wants("volume") ? volumeUsage(deps) : undefined,
        ]);
        reply.json(200, {
          LayersSize: deps.images.usage().layers,
          Images: wants("image") ? imageUsage(deps, version) : null,
          Containers: containers ?? null,
          Volumes: volumes ?? null,
          BuildCache: wants("build-cache") ? cacheUsage(deps.builder) : null,
        });
      },
    },
  ];
}

/** With the packed forms of layers, which a removal frees, too: so its sizes are more than a listing's. */
function imageUsage({ containers, images }: UsageDeps, version: number): object[] {
  const users = (id: string): number => containers.all().filter(({ record }) => record.imageId === id).length;
  const usage = new Map(images.usage().images.map((entry) => [entry.image.id, entry]));
  return listed(images, new Filters(), true, version).map((image) => {
    const { Id } = image as { Id: string };
    const { shared = 0, unique = 0 } = usage.get(Id) ?? {};
    return { ...image, Containers: users(Id), SharedSize: shared, Size: shared + unique };
  });
}

function containerUsage({ containers }: UsageDeps): Promise<readonly object[]> {
  return containers.list({ all: true, limit: 0, size: true, filters: new Filters() });
}

async function volumeUsage({ volumes }: UsageDeps): Promise<object[]> {
  return Promise.all(
    volumes.list().map(async (volume) => ({
      ...volumeOnWire(volume),
      UsageData: { Size: await volumes.size(volume.Name), RefCount: volumes.users(volume.Name).length },
    })),
  );
}

/** One entry for each step whose result is kept. Its layer may be an image's too. */
function cacheUsage({ cache }: Builder): object[] {
  return cache.all().map((step) => ({
    ID: step.key.slice(0, 25),
    Type: "regular",
    Description: step.title,
    InUse: false,
    Shared: false,
    Size: step.size,
    CreatedAt: step.created,
    LastUsedAt: new Date(step.usedAt).toISOString(),
    UsageCount: step.uses,
  }));
}
