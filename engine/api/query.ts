import { EngineError } from "../errors.ts";
import { Filters } from "../filters.ts";

/** The query parameters of a request, read as dockerd reads them. Unknown ones are ignored: dockerode repeats whole bodies. */
export class Query {
  readonly #params: URLSearchParams;

  /** @param search what follows the `?`, or nothing */
  constructor(search: string) {
    this.#params = new URLSearchParams(search);
  }

  /** The value, `""` if it is absent. */
  string(name: string): string {
    return this.#params.get(name) ?? "";
  }

  has(name: string): boolean {
    return this.#params.has(name);
  }

  /** False for absent, empty, `0`, `no`, `false`, `none`; true for anything else (moby's httputils.BoolValue). */
  bool(name: string, absent = false): boolean {
    const value = this.#params.get(name);
    if (value === null) return absent;
    return !["", "0", "no", "false", "none"].includes(value.trim().toLowerCase());
  }

  /** @throws {EngineError} invalid, if the value is given and no integer; an empty one counts as absent */
  int(name: string): number | undefined {
    const value = this.string(name).trim();
    if (value === "") return undefined;
    if (!/^[+-]?\d+$/.test(value)) {
      throw new EngineError("invalid", `strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    }
    return Number(value);
  }

  /** Every value of a repeated parameter. */
  list(name: string): readonly string[] {
    return this.#params.getAll(name);
  }

  /**
   * A parameter that holds JSON, such as `buildargs`. Absent, empty and `null` are all undefined.
   *
   * @throws {EngineError} invalid, if the value is no JSON
   */
  json<T>(name: string): T | undefined {
    const value = this.string(name);
    if (value === "") return undefined;
    try {
      return (JSON.parse(value) as T | null) ?? undefined;
    } catch (cause) {
      throw new EngineError("invalid", `invalid ${name}: ${value}`, { cause });
    }
  }

  /** @throws {EngineError} invalid, if the filters cannot be read */
  filters(): Filters {
    return Filters.parse(this.string("filters"));
  }
}
