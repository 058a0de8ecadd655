/** What one call of the runtime leaves for the next: a directory a container beneath `--root`. */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Cgroups } from "../containers/cgroups/detect.ts";
import { EngineError } from "../errors.ts";
import { Monitor } from "../native/monitor.ts";
import { writeDurably } from "../store/records.ts";
import type { OciConfig } from "./config.ts";
import { cgroupPath, isFrozen } from "./group.ts";
import { isAlive, type Life } from "./life.ts";

export interface OciRecord {
  readonly id: string;
  readonly bundle: string;
  /** The container's first process. */
  readonly life: Life;
  readonly created: string;
  /** Its program gets a session keyring of its own. */
  readonly keyring: boolean;
  /** As it was made, and updated since. */
  readonly config: OciConfig;
}

export type OciStatus = "creating" | "created" | "running" | "paused" | "stopped";

/** The `state` of the OCI runtime specification, with what runc adds. */
export interface OciState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: OciStatus;
  /** 0 when it is stopped. */
  readonly pid: number;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner: string;
}

export class OciStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** @throws {EngineError} invalid for an id that is a path */
  directory(id: string): string {
    if (!/^[\w+.-]+$/.test(id) || id === "." || id === "..") {
      throw new EngineError("invalid", `invalid container ID format: ${id}`);
    }
    return join(this.#root, id);
  }

  /** Where the monitor listens. */
  runDir(id: string): string {
    return join(this.directory(id), "run");
  }

  /** @throws {EngineError} conflict, if there is one of this id */
  async reserve(id: string): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o711 });
    try {
      await mkdir(this.directory(id), { mode: 0o711 });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
      throw new EngineError("conflict", `container with given ID already exists: ${id}`, { cause });
    }
    await mkdir(this.runDir(id), { mode: 0o700 });
  }

  write(record: OciRecord): Promise<void> {
    return writeDurably(join(this.directory(record.id), "state.json"), JSON.stringify(record));
  }

  /** @throws {EngineError} notFound */
  async read(id: string): Promise<OciRecord> {
    try {
      return JSON.parse(await readFile(join(this.directory(id), "state.json"), "utf8")) as OciRecord;
    } catch (cause) {
      if (cause instanceof EngineError) throw cause;
      throw new EngineError("notFound", "container does not exist", { cause });
    }
  }

  /** All that are whole, by id. */
  async all(): Promise<readonly OciRecord[]> {
    const ids = (await readdir(this.#root).catch(() => [])).toSorted();
    const found = await Promise.all(ids.map((id) => this.read(id).catch(() => undefined)));
    return found.filter((record) => record !== undefined);
  }

  remove(id: string): Promise<void> {
    return rm(this.directory(id), { recursive: true, force: true });
  }

  async state(record: OciRecord, cgroups: Cgroups): Promise<OciState> {
    return stateOf(record, await this.#status(record, cgroups));
  }

  async #status(record: OciRecord, cgroups: Cgroups): Promise<OciStatus> {
    if (!isAlive(record.life)) return "stopped";
    const monitor = await Monitor.open(this.runDir(record.id)).catch(() => undefined);
    monitor?.close();
    if (monitor?.state === "created") return "created";
    return (await isFrozen(cgroups, cgroupPath(record.config, record.id))) ? "paused" : "running";
  }
}

export function stateOf(record: OciRecord, status: OciStatus): OciState {
  const { id, bundle, config, created, life } = record;
  return {
    ociVersion: config.ociVersion,
    id,
    pid: status === "stopped" ? 0 : life.pid,
    status,
    bundle,
    rootfs: resolve(bundle, config.root?.path ?? "rootfs"),
    created,
    annotations: config.annotations ?? {},
    owner: "",
  };
}
