/** Checks a document against the schema, and says what is wrong in words: ajv's own list names every branch that failed. */
import { type SchemaError, validate } from "../../dist/compose-validator.cjs";
import { define, isNull, type MapNode, type Node } from "./node.ts";
import type { Problems } from "./problems.ts";
import { knownKeys, schemasAt } from "./schema-keys.ts";
import { nearest } from "./suggest.ts";
import type { Value } from "./types.ts";

export interface SchemaOptions {
  /** One layer of a model: what it lacks another layer may bring. */
  readonly partial?: boolean;
}

/** @returns with every mistake added to `problems` */
export function checkSchema(document: MapNode, problems: Problems, options: SchemaOptions = {}): void {
  if (validate(plain(document))) return;
  const errors = condense(validate.errors ?? []);
  const mistyped = new Set(
    errors.filter(({ keyword }) => keyword === "type").map(({ instancePath }) => instancePath),
  );
  for (const error of errors) {
    if (error.keyword !== "type" && mistyped.has(error.instancePath)) continue;
    const found = find(document, error.instancePath);
    if (options.partial && !found.inList && isAbsence(error, found.node)) continue;
    if (problems.isFull) problems.add("COMPOSE_SCHEMA", "", undefined);
    else report(error, found, document, problems);
  }
}

/** A key that is missing, or that has nothing in it and so keeps what a lower layer says. */
const isAbsence = (error: SchemaError, node: Node): boolean => error.keyword === "required" || isNull(node);

/** What the schema sees: no reset values, and no integers that only a bigint can hold. */
function plain(node: Node): Value {
  if (node.kind === "scalar") return typeof node.value === "bigint" ? Number(node.value) : node.value;
  if (node.kind === "list") return node.items.filter((item) => item.tag !== "reset").map(plain);
  const result: Record<string, Value> = {};
  for (const [key, value] of node.entries) if (value.tag !== "reset") define(result, key, plain(value));
  return result;
}

/** Of a failed choice, keeps what is wrong with the alternative that was meant: the one of the value's own kind. */
function condense(errors: readonly SchemaError[]): SchemaError[] {
  const result: SchemaError[] = [];
  for (const error of errors) {
    if (error.keyword !== "anyOf") {
      result.push(error);
      continue;
    }
    const below: SchemaError[] = [];
    while (result.length > 0 && within(result.at(-1)!, error)) below.unshift(result.pop()!);
    const deeper = below.filter((each) => each.instancePath !== error.instancePath);
    const meant = deeper.length > 0 ? deeper : below.filter((each) => each.keyword !== "type");
    if (meant.length > 0)
      result.push(
        ...meant,
        ...(deeper.length > 0
          ? below.filter(
              (each) => each.instancePath === error.instancePath && each.keyword === "additionalProperties",
            )
          : []),
      );
    else {
      const types = below.flatMap((each) => each.params["type"] as string | string[]);
      result.push({ ...error, keyword: "type", params: { type: [...new Set(types)] } });
    }
  }
  return result;
}

/** Errors of a choice's branches stand before it, at its place or below. */
function within(error: SchemaError, choice: SchemaError): boolean {
  const inside =
    error.instancePath === choice.instancePath || error.instancePath.startsWith(`${choice.instancePath}/`);
  return (
    inside &&
    (error.schemaPath.startsWith(`${choice.schemaPath}/`) || error.instancePath !== choice.instancePath)
  );
}

interface Found {
  readonly node: Node;
  readonly path: readonly string[];
  readonly inList: boolean;
}

function find(document: Node, pointer: string): Found {
  let node = document;
  let inList = false;
  const path = pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  for (const key of path) {
    if (node.kind === "list") inList = true;
    const next =
      node.kind === "map"
        ? node.entries.get(key)
        : node.kind === "list"
          ? node.items.filter((item) => item.tag !== "reset")[Number(key)]
          : undefined;
    if (!next) break;
    node = next;
  }
  return { node, path, inList };
}

function report(error: SchemaError, found: Found, document: Node, problems: Problems): void {
  const { node, path } = found;
  const where = path.join(".") || "the file";
  const { params } = error;
  switch (error.keyword) {
    case "additionalProperties": {
      const key = params["additionalProperty"] as string;
      const at = (node.kind === "map" ? node.entries.get(key)?.key : undefined) ?? node.at;
      const known = knownKeys(path, document);
      if (known.length === 0) {
        problems.add("COMPOSE_VALUE", `${where}: "${key}" is not a valid name`, at, {
          hint: "A name has letters, digits, `.`, `_` and `-`.",
        });
        return;
      }
      problems.add(
        "COMPOSE_UNKNOWN_KEY",
        path.length === 0 ? `unknown key "${key}" at the top level` : `${where}: unknown key "${key}"`,
        at,
        {
          hint: misplaced(key, path) ?? meant(key, known),
        },
      );
      return;
    }
    case "required":
      problems.add(
        "COMPOSE_MISSING_KEY",
        `${where}: "${params["missingProperty"]}" is missing`,
        node.key ?? node.at,
        { hint: `Add \`${params["missingProperty"]}:\`.` },
      );
      return;
    case "type":
      problems.add(
        "COMPOSE_TYPE",
        `${where} must be ${isDuration(path, document) ? "a length of time" : kinds(params["type"] as string | string[])}, not ${kindOf(node)}`,
        node.at,
        {
          hint: isDuration(path, document)
            ? withUnit(node)
            : quote(node, params["type"] as string | string[]),
        },
      );
      return;
    case "enum": {
      const words = (params["allowedValues"] as unknown[]).map(String);
      const given = node.kind === "scalar" ? String(node.value) : "";
      const near = nearest(given, words);
      problems.add("COMPOSE_VALUE", `${where}: "${given}" is none of ${words.join(", ")}`, node.at, {
        hint: near && `Did you mean "${near}"?`,
      });
      return;
    }
    case "uniqueItems": {
      const items = node.kind === "list" ? node.items : [];
      const [first, second] = [params["i"], params["j"]]
        .map((index) => items[index as number])
        .sort((a, b) => (a?.at.start ?? 0) - (b?.at.start ?? 0));
      problems.add("COMPOSE_VALUE", `${where}: the same is listed twice`, second?.at ?? node.at, {
        other: first?.at,
        hint: "Keep one of them.",
      });
      return;
    }
    case "minimum":
    case "maximum":
      problems.add(
        "COMPOSE_VALUE",
        `${where} must be ${error.keyword === "minimum" ? "at least" : "at most"} ${params["limit"]}`,
        node.at,
      );
      return;
    case "pattern":
      problems.add(
        "COMPOSE_VALUE",
        `${where}: "${node.kind === "scalar" ? node.value : ""}" is not valid here`,
        node.at,
        {
          hint:
            path.at(-1) === "pull_policy"
              ? "Use always, never, missing, build, daily, weekly or every_<duration>."
              : undefined,
        },
      );
      return;
    default:
      problems.add("COMPOSE_SCHEMA", `${where}: ${error.keyword} does not hold`, node.at);
  }
}

function meant(key: string, known: readonly string[]): string | undefined {
  const near = nearest(key, known);
  if (near !== undefined) return `Did you mean "${near}"?`;
  return known.length <= 12
    ? `Known here: ${known.join(", ")}.`
    : "Check the name and the indentation; own keys begin with `x-`.";
}

/** A key of a service at the top level, or the other way round, is most often one of indentation. */
function misplaced(key: string, path: readonly string[]): string | undefined {
  if (path.length === 0 && knownKeys(["services", "any"]).includes(key))
    return `"${key}" belongs to a service: indent it below services.NAME.`;
  if (
    path.length >= 1 &&
    path[0] === "services" &&
    ["services", "networks", "volumes", "secrets", "configs"].includes(key) &&
    path.length > 1
  ) {
    return `"${key}" belongs to the top level: take the indentation away.`;
  }
  return undefined;
}

const KINDS: Readonly<Record<string, string>> = {
  object: "a mapping",
  array: "a list",
  string: "text",
  number: "a number",
  integer: "an integer",
  boolean: "true or false",
  null: "nothing",
};

function kinds(types: string | string[]): string {
  const all = (typeof types === "string" ? [types] : types)
    .filter((type, _, list) => type !== "null" || list.length === 1)
    .map((type) => KINDS[type] ?? type);
  return all.length > 1 ? `${all.slice(0, -1).join(", ")} or ${all.at(-1)}` : all[0]!;
}

function kindOf(node: Node): string {
  if (node.kind === "map") return "a mapping";
  if (node.kind === "list") return "a list";
  if (node.value === null) return "empty";
  if (typeof node.value === "number" && !Number.isFinite(node.value)) return node.source ?? "infinite";
  return typeof node.value === "string"
    ? "text"
    : typeof node.value === "boolean"
      ? "true or false"
      : "a number";
}

const isDuration = (path: readonly string[], document: Node): boolean =>
  schemasAt(path, document).some(({ format }) => format === "compose-duration");

const withUnit = (node: Node): string =>
  node.kind === "scalar" && typeof node.value === "number"
    ? `Write it with a unit: ${node.source ?? node.value}s.`
    : "Write it like 40s or 1m30s.";

/** A number or truth value where text is needed only lacks its quotes. */
function quote(node: Node, types: string | string[]): string | undefined {
  if (
    node.kind !== "scalar" ||
    !types.includes("string") ||
    node.value === null ||
    typeof node.value === "string"
  )
    return undefined;
  return `Put it in quotes: "${node.source ?? node.value}".`;
}
