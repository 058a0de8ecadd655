import { EngineError } from "./errors.ts";

/**
 * The `filters` of a listing. Both encodings are understood: `{"label":{"a=b":true}}` (docker, compose) and
 * `{"label":["a=b"]}` (dockerode, docker-py). Values of one name are alternatives, names are joined by "and";
 * only labels must all match.
 */
export class Filters {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: Readonly<Record<string, readonly string[]>> = {}) {
    this.#values = new Map(Object.entries(values).filter(([, list]) => list.length > 0));
  }

  /** @throws {EngineError} invalid, if `text` is neither empty nor one of the two encodings */
  static parse(text: string): Filters {
    if (text === "" || text === "null") return new Filters();
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch (cause) {
      throw new EngineError("invalid", "invalid filter", { cause });
    }
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
      throw new EngineError("invalid", "invalid filter");
    }
    const values: Record<string, string[]> = {};
    for (const [name, given] of Object.entries(parsed)) {
      if (Array.isArray(given)) values[name] = given.map(String);
      else if (typeof given === "object" && given !== null) {
        values[name] = Object.entries(given)
          .filter(([, on]) => on !== false)
          .map(([value]) => value);
      } else throw new EngineError("invalid", `invalid filter '${name}'`);
    }
    return new Filters(values);
  }

  /** @throws {EngineError} invalid, if a name is not among `names` */
  accept(...names: readonly string[]): this {
    for (const name of this.#values.keys()) {
      if (!names.includes(name)) throw new EngineError("invalid", `invalid filter '${name}'`);
    }
    return this;
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  values(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** Whether `value` is one of the values, or none is given. */
  exact(name: string, value: string): boolean {
    const wanted = this.#values.get(name);
    return wanted === undefined || wanted.includes(value);
  }

  /** Whether a value occurs in `text`, as a regular expression or literally; or none is given. */
  match(name: string, text: string): boolean {
    const wanted = this.#values.get(name);
    return wanted === undefined || wanted.some((pattern) => text.includes(pattern) || matches(pattern, text));
  }

  /** Whether all `label` (and no `label!`) values, each `key` or `key=value`, hold. */
  labels(labels: Readonly<Record<string, string>> | null | undefined): boolean {
    const holds = (wanted: string): boolean => {
      const at = wanted.indexOf("=");
      if (at < 0) return labels?.[wanted] !== undefined;
      return labels?.[wanted.slice(0, at)] === wanted.slice(at + 1);
    };
    return this.values("label").every(holds) && !this.values("label!").some(holds);
  }

  /** @throws {EngineError} invalid, if the value is no boolean */
  bool(name: string): boolean | undefined {
    const wanted = this.#values.get(name);
    if (wanted === undefined) return undefined;
    if (wanted.every((value) => /^(1|true)$/i.test(value))) return true;
    if (wanted.every((value) => /^(0|false)$/i.test(value))) return false;
    throw new EngineError("invalid", `invalid filter '${name}=${JSON.stringify(wanted)}'`);
  }
}

/** A pattern comes from a client; one that is no regular expression matches nothing more than its own text. */
function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return false;
  }
}
