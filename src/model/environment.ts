/** The variables that a project's files are filled from, and where each came from. */
import type { Place } from "./place.ts";
import type { Problems } from "./problems.ts";

export interface Known {
  readonly value: string;
  /** `shell`, or a file and line. */
  readonly from: string;
}

export class Environment {
  readonly #values: ReadonlyMap<string, Known>;
  /** Variables already warned of; shared with the environments of included files. */
  readonly #warned: Set<string>;

  constructor(values: ReadonlyMap<string, Known>, warned: Set<string> = new Set()) {
    this.#values = values;
    this.#warned = warned;
  }

  get(name: string): string | undefined {
    return this.#values.get(name)?.value;
  }

  sourceOf(name: string): string | undefined {
    return this.#values.get(name)?.from;
  }

  /** This environment, and what `more` has besides. */
  withDefaults(more: ReadonlyMap<string, Known>): Environment {
    return more.size === 0 ? this : new Environment(new Map([...more, ...this.#values]), this.#warned);
  }

  with(name: string, value: string, from: string): Environment {
    return new Environment(new Map(this.#values).set(name, { value, from }), this.#warned);
  }

  /** Says once that a variable is set nowhere. */
  unset(name: string, place: () => Place, problems: Problems): void {
    if (this.#warned.has(name)) return;
    this.#warned.add(name);
    problems.warn(
      "VARIABLE_UNSET",
      `The "${name}" variable is not set. Defaulting to a blank string.`,
      place(),
      `Set ${name}, or write \${${name}:-} where it may be empty.`,
    );
  }

  toRecord(): Record<string, string> {
    return Object.fromEntries([...this.#values].map(([name, { value }]) => [name, value]));
  }
}

export function fromProcess(env: Readonly<Record<string, string | undefined>>): Environment {
  const values = new Map<string, Known>();
  for (const [name, value] of Object.entries(env))
    if (value !== undefined) values.set(name, { value, from: "shell" });
  return new Environment(values);
}
