/**
 * Tables of rules by path, such as `services.*.ports.*.target`, where `*` is any key or any item of a list. A walk takes
 * the table along, one step a level, so that no path is matched twice.
 */
export interface Rules<T> {
  readonly rule: T | undefined;
  /** The rules below a key or an index. */
  below(key: string): Rules<T> | undefined;
}

class Step<T> implements Rules<T> {
  rule: T | undefined;
  any: Step<T> | undefined;
  readonly named = new Map<string, Step<T>>();

  below(key: string): Rules<T> | undefined {
    return this.named.get(key) ?? this.any;
  }

  at(key: string): Step<T> {
    if (key === "*") {
      this.any ??= new Step<T>();
      return this.any;
    }
    const next = this.named.get(key) ?? new Step<T>();
    this.named.set(key, next);
    return next;
  }
}

/** @param table pattern → rule; the value of a key that holds several patterns apart by spaces counts for each */
export function rules<T>(table: Readonly<Record<string, T>>): Rules<T> {
  const root = new Step<T>();
  for (const [patterns, rule] of Object.entries(table)) {
    for (const pattern of patterns.split(" ")) {
      let step = root;
      for (const key of pattern.split(".")) step = step.at(key);
      step.rule = rule;
    }
  }
  return root;
}
