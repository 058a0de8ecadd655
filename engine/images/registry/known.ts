import { digestOf } from "../digest.ts";
import type { RegistryAuth } from "../types.ts";
import { Authorizer } from "./auth.ts";
import type { Transport } from "./transport.ts";

/** Milliseconds that tokens are kept after their last use; registries let most of them live as long. */
const KEPT = 300_000;
const MOST = 64;

interface Known {
  readonly authorizer: Authorizer;
  used: number;
}

/** What earlier requests found out about registries, so that one that changes nothing is one round trip. */
export class KnownRegistries {
  readonly #plain = new Set<string>();
  readonly #authorizers = new Map<string, Known>();

  /** Whether the host, which may do without TLS, did so the last time. */
  isPlain(host: string): boolean {
    return this.#plain.has(host);
  }

  notePlain(host: string, plain: boolean): void {
    if (plain) this.#plain.add(host);
    else this.#plain.delete(host);
  }

  /** The tokens of one login with one registry; another login, or none, has its own. */
  authorizer(transport: Transport, host: string, auth: RegistryAuth | undefined): Authorizer {
    const now = Date.now();
    for (const [key, { used }] of this.#authorizers) if (now - used > KEPT) this.#authorizers.delete(key);
    const key = `${host} ${digestOf(JSON.stringify(auth ?? null))}`;
    const known = this.#authorizers.get(key) ?? { authorizer: new Authorizer(transport, auth), used: now };
    known.used = now;
    if (this.#authorizers.size < MOST) this.#authorizers.set(key, known);
    return known.authorizer;
  }
}
