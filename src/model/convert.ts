/** One short form each; `canonical.ts` says where they apply. Their input has passed the schema. */
import { posix } from "node:path";
import { AppError, type FailureCode } from "../errors.ts";
import type { Context, Transform } from "./canonical.ts";
import { MountError, parseMount } from "./mounts.ts";
import {
  change,
  isList,
  isMap,
  isNull,
  list,
  type MapNode,
  map,
  type Node,
  scalar,
  withEntry,
} from "./node.ts";
import { PortError, parsePort } from "./ports.ts";
import { problem } from "./problems.ts";
import { formatScalar } from "./scalars.ts";
import type { Scalar } from "./types.ts";
import { formatDuration, parseBytes, parseDuration } from "./units.ts";
import { splitWords, type Words, WordsError } from "./words.ts";

const isText = (node: Node): node is Node & { kind: "scalar"; value: string } =>
  node.kind === "scalar" && typeof node.value === "string";

function fail(node: Node, { path }: Context, code: FailureCode, message: string, hint?: string): AppError {
  return problem(code, `${path.join(".")}: ${message}`, node.at, { hint });
}

/** A mapping of plain values at one place. */
function record(fields: object, from: Node): MapNode {
  const entries = new Map<string, Node>();
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined)
      entries.set(
        key,
        typeof value === "object" && value !== null
          ? record(value, { ...from, key: undefined, tag: undefined })
          : scalar(value as Scalar, bare(from)),
      );
  }
  return map(entries, from);
}

/** The same place, without what belongs to the value there as a whole. */
const bare = (from: Node): Node => ({ ...from, tag: undefined, was: undefined });

const asText = (node: Node): Node =>
  node.kind === "scalar" && typeof node.value !== "string" && node.value !== null
    ? { ...node, value: formatScalar(node.value, node.source) }
    : node;

export const text: Transform = asText;
export const texts: Transform = (node) =>
  isList(node) ? { ...node, items: node.items.map(asText) } : list([asText(bare(node))], node);

export const strings: Transform = (node) =>
  isText(node) ? list(node.value === "" ? [] : [bare(node)], node) : node;

export const build: Transform = (node) => (isText(node) ? map([["context", bare(node)]], node) : node);

export const extend: Transform = (node) => (isText(node) ? map([["service", bare(node)]], node) : node);

export const include: Transform = (node, context) => {
  if (isText(node)) return map([["path", list([bare(node)], bare(node))]], node);
  if (!isMap(node)) return node;
  let result = node;
  for (const key of ["path", "env_file"]) {
    const value = node.entries.get(key);
    if (value) result = withEntry(result, key, strings(value, context) as Node);
  }
  return result;
};

export const command: Transform = (node, context) => {
  if (!isText(node)) return node;
  const split = words(node, context);
  if (split.dropped !== undefined) {
    context.problems.warn(
      "COMMAND_CUT",
      `${context.path.join(".")}: "${split.dropped}" is not run: there is no shell`,
      node.at,
      `Write it as ["sh", "-c", "…"].`,
    );
  }
  return list(
    split.words.map((word) => scalar(word, bare(node))),
    node,
  );
};

function words(node: Node & { value: string }, context: Context): Words {
  try {
    return splitWords(node.value);
  } catch (error) {
    if (error instanceof WordsError)
      throw fail(node, context, "COMPOSE_VALUE", error.message, `Write it as a list: ["sh", "-c", "…"].`);
    throw error;
  }
}

export const test: Transform = (node, context) => {
  if (isText(node)) return list([scalar("CMD-SHELL", bare(node)), bare(node)], node);
  if (!isList(node)) return node;
  const first = node.items[0];
  if (
    first &&
    !["CMD", "CMD-SHELL", "NONE"].includes(formatScalar(first.kind === "scalar" ? first.value : null))
  ) {
    throw fail(
      first,
      context,
      "COMPOSE_VALUE",
      "a list begins with CMD, CMD-SHELL or NONE",
      "Put CMD before the words, or write the test as one text.",
    );
  }
  return node;
};

export const dependsOn: Transform = (node) => {
  const yes = (from: Node): Node => scalar(true, bare(from));
  if (isList(node)) {
    return map(
      node.items.map((item) => [
        (item as { value: string }).value,
        map(
          [
            ["condition", scalar("service_started", bare(item))],
            ["required", yes(item)],
          ],
          { ...bare(item), key: item.at },
        ),
      ]),
      node,
    );
  }
  if (!isMap(node)) return node;
  return {
    ...node,
    entries: new Map(
      [...node.entries].map(([name, value]) => [
        name,
        isMap(value) && !value.entries.has("required") ? withEntry(value, "required", yes(value)) : value,
      ]),
    ),
  };
};

export const envFile: Transform = (node) => {
  if (isNull(node)) return node;
  const one = (item: Node): Node => {
    const entry = isMap(item) ? item : map([["path", bare(item)]], item);
    return entry.entries.has("required") ? entry : withEntry(entry, "required", scalar(true, bare(item)));
  };
  return isList(node) ? { ...node, items: node.items.map(one) } : list([one(bare(node))], node);
};

/** A list of names as a mapping of names to nothing. */
export const named: Transform = (node, context) => {
  if (!isList(node)) return node;
  const extension = node.items.find((item) => isText(item) && item.value.startsWith("x-"));
  if (extension)
    throw fail(
      extension,
      context,
      "COMPOSE_VALUE",
      "a name that begins with x- is an extension",
      "Rename it.",
    );
  return map(
    node.items.map((item) => [
      (item as { value: string }).value,
      scalar(null, { ...bare(item), key: item.at }),
    ]),
    node,
  );
};

export const gpus: Transform = (node) =>
  isText(node) ? list([record({ count: -1 }, bare(node))], node) : node;

export const mount: Transform = (node, context) => {
  if (!isText(node)) return isMap(node) ? change(node, "target", cleaned) : node;
  try {
    const { unknown, ...fields } = parseMount(node.value);
    if (unknown) {
      const options = unknown.map((option) => `"${option}"`).join(", ");
      context.problems.warn(
        "MOUNT_OPTION",
        `${context.path.join(".")}: nobody knows the option ${options}`,
        node.at,
      );
    }
    return change(record(fields, node), "target", cleaned);
  } catch (error) {
    if (error instanceof MountError)
      throw fail(node, context, "COMPOSE_VALUE", error.message, "Write it as [SOURCE:]TARGET[:OPTIONS].");
    throw error;
  }
};

/** `/a/../b/` is `/b`: mounts are told apart by their target. */
function cleaned(node: Node): Node {
  if (!isText(node) || node.value === "") return node;
  const value = posix.normalize(node.value).replace(/(.)\/$/, "$1");
  return value === node.value ? node : ({ ...node, value } as Node);
}

export const device: Transform = (node, context) => {
  if (!isText(node)) return node;
  const parts = node.value.split(":");
  const [source, target, permissions = "rwm"] = parts;
  if (parts.length > 3 || !source)
    throw fail(
      node,
      context,
      "COMPOSE_VALUE",
      `"${node.value}" is no device`,
      "Write it as HOST[:CONTAINER[:rwm]].",
    );
  return record({ source, target: target || source, permissions: permissions || undefined }, node);
};

export const fileMount: Transform = (node, context) => {
  if (isText(node)) return record({ source: node.value }, node);
  return isMap(node) ? change(node, "mode", (mode) => permissions(mode, context)) : node;
};

/** Permissions as a number. */
export const octal: Transform = (node) =>
  isText(node) && /^[0-7]+$/.test(node.value) ? { ...node, value: Number.parseInt(node.value, 8) } : node;

/** Octal digits: a number of YAML, whose leading zero has told that already, or text as people mean it. */
function permissions(node: Node, context: Context): Node {
  if (node.kind !== "scalar" || node.value === null) return node;
  const text =
    typeof node.value === "number"
      ? node.value.toString(8)
      : /^(?:0o)?([0-7]{1,5})$/.exec(String(node.value))?.[1];
  if (text === undefined)
    throw fail(
      node,
      context,
      "COMPOSE_VALUE",
      `"${node.value}" is no file mode`,
      "Write it in octal, such as 0440.",
    );
  return { ...node, value: text.replace(/^0+(?=.{3})/, "").padStart(4, "0") };
}

export const port: Transform = (node, context) => {
  if (isMap(node)) return longPort(node);
  const written = node.kind === "scalar" ? formatScalar(node.value) : "";
  try {
    return parsePort(written).map(({ host_ip, published, target, protocol }) =>
      record({ mode: "ingress", host_ip, target, published, protocol }, node),
    );
  } catch (error) {
    if (error instanceof PortError)
      throw fail(
        node,
        context,
        "COMPOSE_VALUE",
        error.message,
        'Write it as "[[ADDRESS:]PUBLISHED:]TARGET[/PROTOCOL]", in quotes.',
      );
    throw error;
  }
};

function longPort(node: MapNode): MapNode {
  const published = node.entries.get("published");
  return published ? withEntry(node, "published", asText(published)) : node;
}

export const ssh: Transform = (node) => {
  if (isMap(node))
    return list(
      [...node.entries].map(([id, path]) =>
        scalar(isNull(path) ? id : `${id}=${formatScalar((path as { value: Scalar }).value)}`, bare(path)),
      ),
      node,
    );
  return isText(node) ? list([bare(node)], node) : node;
};

export const ulimit: Transform = (node) => {
  const number = (value: Node | undefined): Node | undefined =>
    value && isText(value) && /^-?\d+$/.test(value.value) ? { ...value, value: Number(value.value) } : value;
  if (!isMap(node)) return number(node)!;
  return { ...node, entries: new Map([...node.entries].map(([key, value]) => [key, number(value)!])) };
};

const pairs = (node: Node, absent: string | null): Node => {
  if (isMap(node)) {
    return {
      ...node,
      entries: new Map(
        [...node.entries].map(([key, value]) => [
          key,
          isNull(value) && absent !== null ? ({ ...value, value: absent } as Node) : asText(value),
        ]),
      ),
    };
  }
  if (!isList(node)) return node;
  const entries = new Map<string, Node>();
  for (const item of node.items) {
    if (!isText(item)) continue;
    const equals = item.value.indexOf("=");
    const key = equals < 0 ? item.value : item.value.slice(0, equals);
    entries.set(key, { ...item, key: item.at, value: equals < 0 ? absent : item.value.slice(equals + 1) });
  }
  return map(entries, node);
};

/** `KEY` alone keeps null: its value comes from the environment. */
export const variables: Transform = (node) => pairs(node, null);
/** `KEY` alone is empty. */
export const keyValues: Transform = (node) => pairs(node, "");

export const options: Transform = (node) =>
  isMap(node)
    ? {
        ...node,
        entries: new Map(
          [...node.entries].map(([key, value]) => [
            key,
            isNull(value) ? ({ ...value, value: "" } as Node) : asText(value),
          ]),
        ),
      }
    : node;

export const extraHosts: Transform = (node, context) => {
  const hosts: Node[] = [];
  const add = (name: string, addresses: string, from: Node): void => {
    if (name === "" || name.includes(":"))
      throw fail(
        from,
        context,
        "COMPOSE_VALUE",
        name === "" ? "a host has no name" : `"${name}" is no name of a host`,
        "Write it as NAME=ADDRESS.",
      );
    for (const address of addresses.split(","))
      hosts.push(scalar(`${name}=${unbracketed(address)}`, bare(from)));
  };
  if (isMap(node)) {
    for (const [name, value] of node.entries) {
      for (const item of isList(value) ? value.items : [value])
        add(name, formatScalar(item.kind === "scalar" ? item.value : null), item);
    }
  } else if (isList(node)) {
    for (const item of node.items) {
      if (!isText(item)) continue;
      const at = item.value.search(item.value.includes("=") ? /=/ : /:/);
      if (at < 0)
        throw fail(
          item,
          context,
          "COMPOSE_VALUE",
          `"${item.value}" has no address`,
          "Write it as NAME=ADDRESS.",
        );
      add(item.value.slice(0, at), item.value.slice(at + 1), item);
    }
  } else return node;
  return list(hosts, node);
};

const unbracketed = (address: string): string => (/^\[.*\]$/.test(address) ? address.slice(1, -1) : address);

export const duration: Transform = (node, context) => {
  if (!isText(node)) return node;
  return { ...node, value: formatDuration(measured(node, context, parseDuration)) };
};

const UNLIMITED = new Set(["mem_limit", "memswap_limit", "memory"]);

export const bytes: Transform = (node, context) => {
  if (node.kind !== "scalar" || node.value === null) return node;
  const value = measured(node, context, parseBytes);
  // -1 is the engine's word for "no limit".
  if (value < 0 && !(value === -1 && UNLIMITED.has(context.path.at(-1)!)))
    throw fail(node, context, "COMPOSE_BYTES", "an amount of bytes is not negative");
  return { ...node, value: String(value) };
};

function measured(
  node: Node & { kind: "scalar" },
  { path }: Context,
  parse: (text: string) => number,
): number {
  try {
    return parse(formatScalar(node.value));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw problem(error.code, `${path.join(".")}: ${error.message}`, node.at, { hint: error.hint });
  }
}

export const number: Transform = (node, context) => {
  if (!isText(node)) return node;
  if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(node.value))
    throw fail(node, context, "COMPOSE_TYPE", `"${node.value}" is not a number`);
  return { ...node, value: Number(node.value) };
};

/** `external: {name: x}` is the old spelling of `external: true` and `name: x`. */
export const external: Transform = (node, context) => {
  const value = isMap(node) ? node.entries.get("external") : undefined;
  if (!isMap(node) || !isMap(value)) return node;
  const name = value.entries.get("name");
  const other = node.entries.get("name");
  if (name && other) {
    throw problem(
      "COMPOSE_CONFLICT",
      `${context.path.join(".")} has both name and external.name`,
      other.key ?? other.at,
      { other: name.key, hint: "Keep `name`, and write `external: true`." },
    );
  }
  const marked = withEntry(node, "external", scalar(true, bare(value)));
  return name && !node.entries.has("name") ? withEntry(marked, "name", name) : marked;
};
