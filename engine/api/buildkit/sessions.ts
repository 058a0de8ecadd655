import type { Duplex } from "node:stream";
import { GrpcClient } from "./grpc.ts";

/** How long a build waits for the session it names: both come on connections of their own. */
const WAIT_MS = 15_000;

/** A client that stays connected during its build, to give files, secrets and logins. */
export interface BuildSession {
  readonly client: GrpcClient;
  /** Paths of the methods it answers. */
  readonly methods: ReadonlySet<string>;
}

export class Sessions {
  readonly #open = new Map<string, BuildSession>();
  readonly #waiting = new Map<string, Set<(session: BuildSession) => void>>();

  /** Serves as a session until the connection closes. */
  async run(id: string, methods: readonly string[], connection: Duplex): Promise<void> {
    const session = { client: new GrpcClient(connection), methods: new Set(methods) };
    this.#open.set(id, session);
    for (const resolve of this.#waiting.get(id) ?? []) resolve(session);
    this.#waiting.delete(id);
    await session.client.closed;
    if (this.#open.get(id) === session) this.#open.delete(id);
  }

  /** @throws if it does not come within 15 s */
  async find(id: string): Promise<BuildSession> {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const { promise, resolve, reject } = Promise.withResolvers<BuildSession>();
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting.add(resolve));
    const timer = setTimeout(() => reject(new Error(`no active session for ${id}`)), WAIT_MS);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      waiting.delete(resolve);
    }
  }
}
