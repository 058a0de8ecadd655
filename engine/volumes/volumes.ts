/**
 * Named volumes: a directory each beneath the data root, and a record of its labels. A volume is never removed while
 * a container names it, running or not.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, messageOf } from "../errors.ts";
import type { Events } from "../events.ts";
import { Filters } from "../filters.ts";
import { jobKind } from "../native/protocol.ts";
import type { Spawner } from "../native/spawner.ts";
import type { Paths } from "../store/paths.ts";
import { Records } from "../store/records.ts";
import { Serial } from "../store/serial.ts";
import { isMountPoint } from "./mountinfo.ts";
import {
  boundDirectory,
  checkName,
  checkOptions,
  isFileSystem,
  type VolumeMount,
  volumeMount,
} from "./options.ts";
import { diskUsage } from "./size.ts";
import type { CreateVolume, Pruned, Volume, VolumeRecord, VolumeUser } from "./types.ts";

export interface VolumesDeps {
  readonly paths: Paths;
  readonly events: Events;
  /** Mounts volumes that are file systems of their own. */
  readonly spawner: Pick<Spawner, "request">;
}

const ANONYMOUS = "com.docker.volume.anonymous";

export class Volumes {
  readonly #spawner: VolumesDeps["spawner"];
  readonly #paths: Paths;
  readonly #events: Events;
  readonly #records: Records<VolumeRecord>;
  readonly #serial = new Serial();
  /** Volumes of containers that are being started now, by container. */
  readonly #held = new Map<string, Set<string>>();
  #users: () => readonly VolumeUser[] = () => [];

  private constructor({ paths, events, spawner }: VolumesDeps, records: Records<VolumeRecord>) {
    this.#spawner = spawner;
    this.#paths = paths;
    this.#events = events;
    this.#records = records;
  }

  static async open(deps: VolumesDeps): Promise<Volumes> {
    // The leading dot keeps the records apart from the volumes: no volume's name begins with one.
    return new Volumes(deps, await Records.open<VolumeRecord>(join(deps.paths.volumes, ".records")));
  }

  /** Names the containers that use volumes; set once by who owns the containers. */
  setUsers(users: () => readonly VolumeUser[]): void {
    this.#users = users;
  }

  /**
   * Makes a volume, or gives the one of that name.
   *
   * @throws {EngineError} invalid for a bad name or option; conflict for one of that name with another driver's data
   */
  async create(request: CreateVolume): Promise<Volume> {
    const anonymous = request.Name === undefined || request.Name === "";
    const name = anonymous ? randomBytes(32).toString("hex") : (request.Name as string);
    checkName(name);
    if ((request.Driver || "local") !== "local") {
      throw new EngineError(
        "notFound",
        `create ${name}: error looking up volume plugin ${request.Driver}: plugin "${request.Driver}" not found`,
      );
    }
    const options = request.DriverOpts ?? null;
    checkOptions(name, options);
    return this.#serial.run(name, async () => {
      const known = this.#records.get(name);
      if (known !== undefined) return this.#volume(known);
      if (boundDirectory(options) === undefined)
        await mkdir(this.#data(name), { recursive: true, mode: 0o755 });
      const record: VolumeRecord = {
        Name: name,
        Driver: "local",
        CreatedAt: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
        Labels: { ...(anonymous ? { [ANONYMOUS]: "" } : {}), ...request.Labels },
        Options: options,
      };
      await this.#records.put(name, record);
      this.#tell("create", name);
      return this.#volume(record);
    });
  }

  /** @throws {EngineError} notFound */
  get(name: string): Volume {
    const record = this.#records.get(name);
    if (record === undefined) throw new EngineError("notFound", `get ${name}: no such volume`);
    return this.#volume(record);
  }

  list(filters: Filters = new Filters()): readonly Volume[] {
    filters.accept("dangling", "driver", "label", "label!", "name");
    const dangling = filters.bool("dangling");
    return this.#records
      .all()
      .filter((record) => filters.match("name", record.Name) && filters.labels(record.Labels))
      .filter((record) => filters.exact("driver", record.Driver))
      .filter((record) => dangling === undefined || (this.users(record.Name).length === 0) === dangling)
      .map((record) => this.#volume(record));
  }

  /**
   * @throws {EngineError} notFound unless `force`; conflict while a container names it
   */
  async remove(name: string, { force = false }: { readonly force?: boolean } = {}): Promise<void> {
    await this.#serial.run(name, async () => {
      const record = this.#records.get(name);
      if (record === undefined) {
        if (force) return;
        throw new EngineError("notFound", `get ${name}: no such volume`);
      }
      const users = this.users(name);
      if (users.length > 0) {
        throw new EngineError("conflict", `remove ${name}: volume is in use - [${users.join(", ")}]`);
      }
      await this.#unmount(record);
      await this.#records.remove(name);
      await this.#discard(name);
      this.#tell("destroy", name);
    });
  }

  /** Removes what no container names: anonymous volumes, with filter `all` named ones too. */
  async prune(filters: Filters): Promise<Pruned> {
    filters.accept("all", "label", "label!");
    const all = filters.bool("all") ?? false;
    const names: string[] = [];
    let reclaimed = 0;
    for (const { Name, Labels, Options } of this.#records.all()) {
      if (this.users(Name).length > 0 || !filters.labels(Labels)) continue;
      if (!all && Labels[ANONYMOUS] === undefined) continue;
      // What stands for something outside is not for us to call unused, as with Docker.
      if (Object.keys(Options ?? {}).length > 0) continue;
      const size = await this.size(Name);
      await this.remove(Name);
      names.push(Name);
      reclaimed += size;
    }
    this.#events.emit({
      type: "volume",
      action: "prune",
      actor: { id: "", attributes: { reclaimed: String(reclaimed) } },
    });
    return { names, reclaimed };
  }

  /** Bytes on disk; 0 for a volume that stands for a directory of the user's. */
  async size(name: string): Promise<number> {
    const { Options } = this.get(name);
    return boundDirectory(Options) === undefined ? await diskUsage(this.#data(name)) : 0;
  }

  /**
   * The directory of a volume's data, which stays until `release`. A volume that is a file system of its own is mounted
   * for the first container that runs with it.
   *
   * @throws {EngineError} notFound; invalid if the directory that it stands for is not there, or cannot be mounted
   */
  async acquire(name: string, containerId: string): Promise<string> {
    const { Mountpoint, Options } = this.get(name);
    const directory = boundDirectory(Options) ?? Mountpoint;
    if (!(await stat(directory).catch(() => undefined))?.isDirectory()) {
      throw new EngineError("invalid", `volume ${name}: ${directory} is not a directory`);
    }
    const mount = await volumeMount(Options);
    await this.#serial.run(name, async () => {
      if (mount !== undefined) await this.#mount(mount, directory);
      const held = this.#held.get(containerId) ?? new Set();
      this.#held.set(containerId, held.add(name));
    });
    return directory;
  }

  async release(containerId: string): Promise<void> {
    const names = this.#held.get(containerId) ?? new Set();
    this.#held.delete(containerId);
    for (const name of names) {
      await this.#serial.run(name, async () => {
        const record = this.#records.get(name);
        if (record === undefined || [...this.#held.values()].some((held) => held.has(name))) return;
        await this.#unmount(record);
      });
    }
  }

  /** Also what an earlier daemon left: to unlink the files of something mounted would be to lose somebody's data. */
  async #unmount({ Name, Options }: VolumeRecord): Promise<void> {
    const target = this.#data(Name);
    if (!isFileSystem(Options) || !(await isMountPoint(target))) return;
    await this.#spawner.request(jobKind.network, [{ op: "volumeUnmount", target }]);
  }

  async #mount(mount: VolumeMount, target: string): Promise<void> {
    if (await isMountPoint(target)) return;
    try {
      await this.#spawner.request(jobKind.network, [{ op: "volumeMount", ...mount, target }]);
    } catch (cause) {
      const data = mount.data === "" ? "" : `, data: ${mount.data}`;
      const reason = `failed to mount local volume: ${messageOf(cause)}${data}`;
      throw new EngineError("invalid", `error while mounting volume '${target}': ${reason}`, { cause });
    }
  }

  /** Ids of the containers that name a volume. */
  users(name: string): readonly string[] {
    const ids = this.#users()
      .filter(({ volumes }) => volumes.includes(name))
      .map(({ containerId }) => containerId);
    for (const [id, names] of this.#held) if (names.has(name)) ids.push(id);
    return [...new Set(ids)];
  }

  #volume(record: VolumeRecord): Volume {
    return { ...record, Mountpoint: this.#data(record.Name), Scope: "local" };
  }

  #data(name: string): string {
    return join(this.#paths.volumes, name, "_data");
  }

  /** Out of sight at once; ext4 takes its time to unlink many files. */
  async #discard(name: string): Promise<void> {
    const from = join(this.#paths.volumes, name);
    if (!(await readdir(from).catch(() => undefined))) return;
    const to = join(this.#paths.trash, `volume-${randomBytes(8).toString("hex")}`);
    await rename(from, to);
    // What a crash leaves in the trash goes at the next start.
    void rm(to, { recursive: true, force: true }).catch(() => undefined);
  }

  #tell(action: string, id: string): void {
    this.#events.emit({ type: "volume", action, actor: { id, attributes: { driver: "local" } } });
  }
}
