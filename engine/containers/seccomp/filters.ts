import { DEFAULT_PROFILE } from "./default.ts";
import { parseDockerProfile } from "./docker-profile.ts";
import { compileFilter } from "./filter.ts";
import type { Machine } from "./profile.ts";

/** Filters that were compiled once: the next container with the same profile and capabilities has its own for nothing. */
export class SeccompFilters {
  readonly #machine: Machine;
  readonly #compiled = new Map<string, Buffer>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /**
   * @param profile `default`, `unconfined`, or the text of a profile in Docker's form
   * @returns struct sock_filter[]; undefined for unconfined
   * @throws {EngineError} invalid, if the text is no profile
   */
  get(profile: string, capabilities: readonly string[]): Buffer | undefined {
    if (profile === "unconfined") return undefined;
    const key = `${capabilities.join(" ")}\n${profile}`;
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const parsed = profile === "default" ? DEFAULT_PROFILE : parseDockerProfile(profile);
    const filter = compileFilter(parsed, new Set(capabilities), this.#machine);
    // Profiles come from clients: a long-lived engine must not keep every one that it ever saw.
    if (this.#compiled.size >= 64) this.#compiled.clear();
    this.#compiled.set(key, filter);
    return filter;
  }
}
