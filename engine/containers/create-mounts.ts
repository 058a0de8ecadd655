import { randomBytes } from "node:crypto";
import { mkdir, stat } from "node:fs/promises";
import { EngineError } from "../errors.ts";
import type { WantedMount } from "./mounts.ts";
import type { Tools } from "./tools.ts";
import type { ResolvedMount } from "./types.ts";

/** How `docker volume prune` knows them. */
const ANONYMOUS = "com.docker.volume.anonymous";

/** Gives the volumes that have none a name, so that the record can name them before they are made. */
export function namedVolumes(wanted: readonly WantedMount[]): readonly WantedMount[] {
  return wanted.map((mount) => {
    if (mount.Type !== "volume" || mount.Name !== undefined) return mount;
    return { ...mount, Name: randomBytes(32).toString("hex"), labels: { [ANONYMOUS]: "", ...mount.labels } };
  });
}

/** As a record has them, without what is needed to make a volume. */
export function plainMounts(wanted: readonly WantedMount[]): readonly ResolvedMount[] {
  return wanted.map(({ labels: _, driver: __, driverOptions: ___, ...mount }) => mount);
}

/** Makes the volumes that are not there yet. Gives the mounts with their directories. */
export async function makeVolumes(
  tools: Pick<Tools, "volumes">,
  wanted: readonly WantedMount[],
): Promise<readonly ResolvedMount[]> {
  const made: ResolvedMount[] = [];
  for (const mount of wanted) {
    const [plain] = plainMounts([mount]);
    if (plain === undefined || mount.Type !== "volume" || mount.Name === undefined) {
      if (plain !== undefined) made.push(plain);
      continue;
    }
    const { Mountpoint } = await tools.volumes.create({
      Name: mount.Name,
      Driver: mount.Driver ?? "local",
      ...(mount.labels === undefined ? {} : { Labels: mount.labels }),
      ...(mount.driverOptions === undefined ? {} : { DriverOpts: mount.driverOptions }),
    });
    made.push({ ...plain, Source: Mountpoint });
  }
  return made;
}

/** `-v` makes a missing directory, `--mount` does not. @throws {EngineError} invalid for a source that is not there */
export async function checkSources(wanted: readonly WantedMount[]): Promise<void> {
  for (const mount of wanted) {
    if (mount.Type !== "bind" || (await stat(mount.Source).catch(() => undefined)) !== undefined) continue;
    if (!mount.createSource) {
      const reason = `invalid mount config for type "bind": bind source path does not exist: ${mount.Source}`;
      throw new EngineError("invalid", reason);
    }
    await mkdir(mount.Source, { recursive: true, mode: 0o755 });
  }
}
