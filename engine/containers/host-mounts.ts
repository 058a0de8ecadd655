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

/** Mounts that the engine holds for its containers, where several see the same. */
export class HostMounts {
  readonly #spawner: Pick<Spawner, "request">;

  constructor(spawner: Pick<Spawner, "request">) {
    this.#spawner = spawner;
  }

  async mount(mount: HostMount): Promise<void> {
    await this.#spawner.request(jobKind.network, [{ op: "volumeMount", ...mount }]);
  }

  async unmount(target: string): Promise<void> {
    await this.#spawner.request(jobKind.network, [{ op: "volumeUnmount", target }]);
  }
}
