/** What one call of the runtime leaves for the next: a directory a container beneath `--root`. */
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../errors.ts";
import { Monitor, readExit } from "../native/monitor.ts";
import { writeDurably } from "../store/records.ts";
import type { OciConfig } from "./config.ts";

export interface OciRecord {
  readonly id: string;
  readonly bundle: string;
  /** Of the container's first process. */
  readonly pid: number;
  /** Of the process beside it, which its caller waits for. */
  readonly monitorPid: number;
  readonly created: string;
  /** As it was when the container was made. */
  readonly config: OciConfig;
}

/** The `state` of the OCI runtime specification. */
export interface OciState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: "creating" | "created" | "running" | "stopped";
  readonly pid: number;
  readonly bundle: string;
  readonly annotations: Readonly<Record<string, string>>;
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

  remove(id: string): Promise<void> {
    return rm(this.directory(id), { recursive: true, force: true });
  }

  async state(record: OciRecord): Promise<OciState> {
    const status = await this.#status(record);
    return stateOf(record, status, status === "stopped" ? 0 : record.pid);
  }

  async #status(record: OciRecord): Promise<OciState["status"]> {
    if ((await readExit(this.directory(record.id))) !== undefined) return "stopped";
    const monitor = await Monitor.open(this.runDir(record.id)).catch(() => undefined);
    monitor?.close();
    if (monitor === undefined || monitor.state === "exited") return "stopped";
    return monitor.state;
  }
}

export function stateOf(record: OciRecord, status: OciState["status"], pid: number): OciState {
  const { id, bundle, config } = record;
  return { ociVersion: config.ociVersion, id, status, pid, bundle, annotations: config.annotations ?? {} };
}
