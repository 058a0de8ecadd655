/**
 * `$NAME` and `${NAME…}` in text. What stands after an operator is only looked at when it is needed, so that
 * `${A:-${B:?x}}` does not fail while A is set.
 */
/** Defaults inside defaults. */
const MAX_DEPTH = 50;
const NAME = /[_a-zA-Z][_a-zA-Z0-9]*/y;
const OPERATOR = /:[-?+]|[-?+]/y;

export interface Lookup {
  /** The variable's value, or undefined when it is set nowhere. */
  value(name: string): string | undefined;
  /** Told once for each use of a variable. */
  used?(name: string, how: "value" | "default" | "unset" | "alternative"): void;
}

/** Why a template could not be filled; `start` and `end` are offsets in it. */
export class TemplateError extends Error {
  readonly kind: "format" | "required";
  readonly start: number;
  readonly end: number;
  /** The variable that is required. */
  readonly variable: string | undefined;
  /** What its author wrote after `?`. */
  readonly reason: string | undefined;

  constructor(
    kind: "format" | "required",
    message: string,
    start: number,
    end: number,
    variable?: string,
    reason?: string,
  ) {
    super(message);
    this.kind = kind;
    this.start = start;
    this.end = end;
    this.variable = variable;
    this.reason = reason;
  }
}

/**
 * Fills a template. A variable's own value is not looked at again; `$$` becomes `$`; a `$` before anything but a name or
 * a brace stays.
 *
 * @throws {TemplateError}
 */
export function fill(template: string, lookup: Lookup, offset = 0, depth = 0): string {
  if (depth > MAX_DEPTH)
    throw new TemplateError("format", "variables are nested too deeply", offset, offset + 1);
  let result = "";
  let at = 0;
  for (;;) {
    const dollar = template.indexOf("$", at);
    if (dollar < 0) return at === 0 ? template : result + template.slice(at);
    result += template.slice(at, dollar);
    const next = template[dollar + 1];
    if (next === "$") {
      result += "$";
      at = dollar + 2;
    } else if (next === "{") {
      const end = closing(template, dollar);
      const part = parse(template, dollar, end, offset);
      result += expand(part, lookup, offset + dollar, offset + end + 1, offset, depth);
      at = end + 1;
    } else {
      const name = match(NAME, template, dollar + 1);
      result += name === undefined ? "$" : plain(name, lookup);
      at = dollar + 1 + (name?.length ?? 0);
    }
  }
}

interface Part {
  readonly name: string;
  readonly operator: string | undefined;
  readonly rest: string;
  /** Where `rest` starts. */
  readonly restAt: number;
}

/** The parts of one `${…}`, from `$` at `start` to `}` at `end`. */
function parse(template: string, start: number, end: number, offset: number): Part {
  const name = match(NAME, template, start + 2);
  const after = start + 2 + (name?.length ?? 0);
  const operator = name === undefined ? undefined : match(OPERATOR, template, after);
  if (name === undefined || end < 0 || (operator === undefined && after !== end)) {
    const shown = template.slice(start, end < 0 ? undefined : end + 1);
    throw new TemplateError(
      "format",
      `invalid interpolation format: ${shown}`,
      offset + start,
      offset + start + shown.length,
    );
  }
  const restAt = after + (operator?.length ?? 0);
  return { name, operator, rest: template.slice(restAt, end), restAt };
}

function plain(name: string, lookup: Lookup): string {
  const value = lookup.value(name);
  lookup.used?.(name, value === undefined ? "unset" : "value");
  return value ?? "";
}

function expand(
  part: Part,
  lookup: Lookup,
  start: number,
  end: number,
  offset: number,
  depth: number,
): string {
  const { name, operator, rest } = part;
  if (operator === undefined) return plain(name, lookup);
  const value = lookup.value(name);
  const given = value !== undefined && !(operator[0] === ":" && value === "");
  const inner = (): string => fill(rest, lookup, offset + part.restAt, depth + 1);
  if (operator.endsWith("+")) {
    lookup.used?.(name, "alternative");
    return given ? inner() : "";
  }
  lookup.used?.(name, given ? "value" : "default");
  if (given) return value;
  if (operator.endsWith("-")) return inner();
  const reason = inner();
  throw new TemplateError(
    "required",
    `required variable ${name} is missing a value${reason && `: ${reason}`}`,
    start,
    end,
    name,
    reason,
  );
}

/** Where the brace closes that `${` at `start` opens; braces inside are balanced. -1: nowhere. */
function closing(template: string, start: number): number {
  let depth = 0;
  for (let at = start + 1; at < template.length; at++) {
    if (template[at] === "{") depth++;
    else if (template[at] === "}" && --depth === 0) return at;
  }
  return -1;
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

export interface Variable {
  readonly name: string;
  readonly required: boolean;
  readonly default: string;
  readonly alternative: string;
}

/** All variables that a template names, also those inside defaults, in the order they stand in. */
export function variablesOf(template: string, depth = 0): Variable[] {
  if (depth > MAX_DEPTH) return [];
  const found: Variable[] = [];
  for (let at = template.indexOf("$"); at >= 0; at = template.indexOf("$", at)) {
    if (template[at + 1] === "$") at += 2;
    else if (template[at + 1] === "{") {
      const end = closing(template, at);
      let part: Part;
      try {
        part = parse(template, at, end, 0);
      } catch {
        at += 2;
        continue;
      }
      const kind = part.operator?.at(-1);
      found.push({
        name: part.name,
        required: kind === "?",
        default: kind === "-" ? part.rest : "",
        alternative: kind === "+" ? part.rest : "",
      });
      found.push(...variablesOf(part.rest, depth + 1));
      at = end + 1;
    } else {
      const name = match(NAME, template, at + 1);
      if (name !== undefined) found.push({ name, required: false, default: "", alternative: "" });
      at += 1 + (name?.length ?? 0);
    }
  }
  return found;
}
