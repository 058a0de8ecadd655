import { jobKind } from "../native/protocol.ts";
import type { Spawner } from "../native/spawner.ts";

/** One mount in the engine's own mount namespace, as mount(2) takes it. */
export interface HostMount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly flags: number;
  readonly data: string;
}

/** What the engine mounts and limits for its containers in its own mount namespace. */
export class HostMounts {
  readonly #spawner: Pick<Spawner, "request">;

  constructor(spawner: Pick<Spawner, "request">) {
    this.#spawner = spawner;
  }

  async mount(mount: HostMount): Promise<void> {
    await this.#spawner.request(jobKind.network, [{ op: "volumeMount", ...mount }]);
  }

  /** Limits what a directory holds; 0 bytes is no limit. @throws {NativeError} ENOTSUP where there are no quotas */
  async limit(directory: string, project: number, bytes: number): Promise<void> {
    await this.#spawner.request(jobKind.network, [{ op: "quota", directory, project, bytes }]);
  }

  async unmount(target: string): Promise<void> {
    await this.#spawner.request(jobKind.network, [{ op: "volumeUnmount", target }]);
  }
}
