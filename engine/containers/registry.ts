import { EngineError, messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Paths } from "../store/paths.ts";
import { Records } from "../store/records.ts";
import { Container } from "./container.ts";
import { isName, randomName } from "./names.ts";
import type { ContainerRecord, ContainerState } from "./types.ts";

/** Between two tries to write what a full disk did not take. */
const RETRY_MS = 2000;

/** All containers, by id and name; the only writer of their records. */
export class Registry {
  readonly #records: Records<ContainerRecord>;
  readonly #containers = new Map<string, Container>();
  /** Whose last state is in memory alone. */
  readonly #unwritten = new Set<Container>();
  #timer: NodeJS.Timeout | undefined;
  readonly #log: Log;
  /** Name to id; a name is taken before its container is made, so that two creates cannot both have it. */
  readonly #names = new Map<string, string>();

  private constructor(records: Records<ContainerRecord>, log: Log) {
    this.#records = records;
    this.#log = log;
    for (const record of records.all()) {
      this.#containers.set(record.id, new Container(record));
      this.#names.set(record.name, record.id);
    }
  }

  static async open(paths: Paths, log: Log): Promise<Registry> {
    const unreadable = (path: string): void => log.error("a container's record cannot be read", { path });
    return new Registry(await Records.open<ContainerRecord>(paths.containers, unreadable), log);
  }

  /** In the order of their creation. */
  all(): readonly Container[] {
    return [...this.#containers.values()].sort((a, b) => (a.record.created < b.record.created ? -1 : 1));
  }

  /**
   * By full id, name (with or without slash) or a prefix of the id that fits one container only.
   *
   * @throws {EngineError} notFound, or invalid if a prefix fits several
   */
  find(reference: string): Container {
    const name = reference.startsWith("/") ? reference.slice(1) : reference;
    const exact = this.#containers.get(name) ?? this.#containers.get(this.#names.get(name) ?? "");
    if (exact !== undefined) return exact;
    const fitting = /^[0-9a-f]+$/.test(name) ? this.all().filter(({ id }) => id.startsWith(name)) : [];
    if (fitting.length > 1)
      throw new EngineError("invalid", `multiple IDs found with provided prefix: ${reference}`);
    const [only] = fitting;
    if (only === undefined) throw new EngineError("notFound", `No such container: ${reference}`);
    return only;
  }

  has(id: string): boolean {
    return this.#containers.has(id);
  }

  /**
   * Takes a name for a container that is being made.
   *
   * @param name empty for a random one
   * @throws {EngineError} invalid for a name that breaks Docker's rule, conflict for one that is taken
   */
  reserveName(name: string, id: string): string {
    const plain = name.startsWith("/") ? name.slice(1) : name;
    const chosen = plain === "" ? randomName((each) => this.#names.has(each)) : plain;
    if (!isName(chosen)) {
      throw new EngineError(
        "invalid",
        `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
      );
    }
    const holder = this.#names.get(chosen);
    if (holder !== undefined) {
      throw new EngineError(
        "conflict",
        `Conflict. The container name "/${chosen}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    }
    this.#names.set(chosen, id);
    return chosen;
  }

  freeName(name: string, id: string): void {
    if (this.#names.get(name) === id) this.#names.delete(name);
  }

  async add(record: ContainerRecord): Promise<Container> {
    await this.#records.put(record.id, record);
    const container = new Container(record);
    this.#containers.set(record.id, container);
    return container;
  }

  /** Seen at once, on disk when the promise resolves. What cannot be written is not changed either. */
  async change(container: Container, change: Partial<ContainerRecord>): Promise<void> {
    const before = container.record;
    container.record = { ...before, ...change };
    try {
      await this.#write(container);
    } catch (error) {
      const kept = Object.keys(change).map((key) => [key, before[key as keyof ContainerRecord]]);
      container.record = { ...container.record, ...Object.fromEntries(kept) };
      throw error;
    }
  }

  async #write(container: Container): Promise<void> {
    if (this.#containers.has(container.id)) await this.#records.put(container.id, container.record);
  }

  /**
   * As change(). On a full disk the state is written later: what a container does and what a person may do with it must
   * not depend on a file, least of all stopping and removing it to make space.
   */
  async changeState(container: Container, change: Partial<ContainerState>): Promise<void> {
    this.setState(container, change);
    try {
      await this.#write(container);
      this.#unwritten.delete(container);
    } catch (error) {
      this.#missed(container, error);
    }
  }

  #missed(container: Container, error: unknown): void {
    if (!this.#unwritten.has(container)) {
      this.#log.error("a container's state could not be written", {
        id: container.id,
        error: messageOf(error),
      });
    }
    this.#unwritten.add(container);
    this.#writeLater();
  }

  #writeLater(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // It waits again where it fails again.
      for (const container of this.#unwritten) void this.changeState(container, {});
    }, RETRY_MS);
    this.#timer.unref();
  }

  /** Seen at once, on disk some time later: for what the monitor, or its exit record, would tell the next daemon. */
  async changeStateSoon(container: Container, change: Partial<ContainerState>): Promise<void> {
    this.setState(container, change);
    if (!this.#containers.has(container.id)) return;
    try {
      await this.#records.putSoon(container.id, container.record);
      this.#unwritten.delete(container);
    } catch (error) {
      this.#missed(container, error);
    }
  }

  /** At the end of the daemon: writes what was to be written some time later. */
  async flush(): Promise<void> {
    await this.#records.flush().catch((error: unknown) => {
      this.#log.error("the last states could not be written", { error: messageOf(error) });
    });
  }

  /** In memory; it is on disk with the next change that has to be. */
  setState(container: Container, change: Partial<ContainerState>): void {
    container.record = { ...container.record, state: { ...container.record.state, ...change } };
  }

  async remove(container: Container): Promise<void> {
    this.#containers.delete(container.id);
    this.freeName(container.name, container.id);
    await this.#records.remove(container.id);
  }
}
