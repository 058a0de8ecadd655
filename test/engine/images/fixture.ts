/** A store of images in a directory of its own, with a spawner for its workers; nothing is left when it is closed. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { Events } from "../../../engine/events.ts";
import { Images } from "../../../engine/images/images.ts";
import { DEFAULT_SETTINGS, type RegistrySettings } from "../../../engine/images/registry/settings.ts";
import { silentLog } from "../../../engine/log.ts";
import { Spawner } from "../../../engine/native/spawner.ts";
import { NativeWorkers } from "../../../engine/native/worker-client.ts";
import { Paths } from "../../../engine/store/paths.ts";
import { createDirectories } from "../../../engine/store/records.ts";
import { makeTar, type TarEntry } from "../../helpers/tar.ts";

export const program =
  process.env["SLIPWAY_NATIVE"] ?? join(import.meta.dirname, "../../../dist/native/slipway-native");

export interface Store extends AsyncDisposable {
  readonly directory: string;
  readonly paths: Paths;
  readonly workers: NativeWorkers;
  images: Images;
  /** Opens it anew, as the next daemon would. */
  reopen(): Promise<Images>;
}

/** @param silence milliseconds that a registry may be silent */
export async function openStore(
  registries: Partial<RegistrySettings> = {},
  silence?: number,
): Promise<Store> {
  const directory = mkdtempSync("/var/tmp/slw-images-");
  const paths = new Paths(join(directory, "data"), join(directory, "run"));
  await createDirectories(paths);
  const spawner = await Spawner.start({ program, socket: paths.spawnerSocket });
  const workers = new NativeWorkers(spawner);
  const open = (): Promise<Images> =>
    Images.open({
      paths,
      workers,
      events: new Events(),
      log: silentLog,
      registries: { ...DEFAULT_SETTINGS, ...registries },
      ...(silence !== undefined && { silence }),
    });
  const store: Store = {
    directory,
    paths,
    workers,
    images: await open(),
    async reopen() {
      store.images = await open();
      return store.images;
    },
    async [Symbol.asyncDispose]() {
      store.images.transport.close();
      await store.images.store.trash.empty();
      await spawner.close();
      rmSync(directory, { recursive: true, force: true });
      if (existsSync(directory)) throw new Error(`${directory} is left`);
    },
  };
  return store;
}

export function archiveOf(...entries: readonly TarEntry[]): Readable {
  return Readable.from([makeTar(entries)]);
}
