import type { Socket } from "node:net";
import { connectPath } from "./connection.ts";

/**
 * Where the spawner listens. Behind each connection a process waits for its request; one is kept ahead, for a connect
 * and a fork take longer than the request itself.
 */
export class SpawnerDoor {
  readonly #path: string;
  #spare: Socket | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** @returns a connection that nothing has been written to @throws the error of connect(2) */
  async open(): Promise<Socket> {
    const spare = this.#spare;
    this.#spare = undefined;
    setImmediate(() => void this.#keepSpare());
    if (spare === undefined || spare.destroyed) return connectPath(this.#path);
    return spare.off("error", ignore).ref();
  }

  close(): void {
    this.#closed = true;
    this.#spare?.destroy();
  }

  async #keepSpare(): Promise<void> {
    if (this.#spare !== undefined || this.#closed) return;
    const socket = await connectPath(this.#path).catch(ignore); // the next job says why
    if (socket === undefined) return;
    if (this.#spare !== undefined || this.#closed) socket.destroy();
    else this.#spare = socket.unref().on("error", ignore);
  }
}

/** A spare that has gone is found out when it is wanted. */
function ignore(): undefined {
  return undefined;
}
