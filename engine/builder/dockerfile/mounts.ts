/** The value of `RUN --mount`. */
import { DockerfileError } from "./position.ts";
import { didYouMean, parseBoolean } from "./text.ts";

export type MountType = "bind" | "cache" | "tmpfs" | "secret" | "ssh";
export type MountSharing = "shared" | "private" | "locked";

const TYPES: readonly string[] = ["bind", "cache", "tmpfs", "secret", "ssh"] satisfies MountType[];
const SHARING: readonly string[] = ["shared", "private", "locked"] satisfies MountSharing[];
/** In this order the nearest is sought for "did you mean". */
const KEYS =
  "type from source target readonly id sharing required mode uid gid src dst ro rw readwrite".split(" ");

export interface Mount {
  readonly type: MountType;
  readonly from: string;
  readonly source: string;
  readonly target: string;
  readonly readonly: boolean;
  readonly id: string;
  readonly sharing: MountSharing | undefined;
  readonly required: boolean;
  readonly env: string | undefined; // the variable that gets the secret
  readonly size: number | undefined; // bytes
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** What is known before variables are: `from` takes none. */
export function checkMountText(text: string): void {
  for (const { key, value } of fieldsOf(text)) {
    if (key === "from" && value !== undefined && /\$./.test(value)) {
      fail("'from' doesn't support variable expansion, define alias stage instead");
    }
  }
}

/**
 * @param expand puts variables into a value
 * @throws {DockerfileError} for unknown keys, wrong values and combinations that BuildKit refuses
 */
export function parseMount(text: string, expand: (value: string) => string = (value) => value): Mount {
  const mount = {
    type: "bind",
    from: "",
    source: "",
    target: "",
    readonly: false,
    id: "",
    required: false,
  } as Draft;
  let readonly: boolean | undefined;
  for (const { key, value: written, field } of fieldsOf(text)) {
    const value = written === undefined ? undefined : expand(written);
    switch (key) {
      case "readonly":
      case "ro":
        readonly = value === undefined ? true : booleanOf(key, value);
        break;
      case "readwrite":
      case "rw":
        readonly = value === undefined ? false : !booleanOf(key, value);
        break;
      case "required":
        only(mount, key, ["secret", "ssh"]);
        mount.required = value === undefined ? true : booleanOf(key, value);
        break;
      default:
        if (value === undefined) fail(`invalid field '${field}' must be a key=value pair`);
        assign(mount, key, value, field);
    }
  }
  const quiet = mount.type === "cache" || mount.type === "tmpfs";
  const result = { ...mount, readonly: readonly ?? !quiet };
  validate(result);
  return result;
}

type Draft = { -readonly [K in keyof Mount]: Mount[K] };

function assign(mount: Draft, key: string, value: string, field: string): void {
  switch (key) {
    case "type":
      mount.type = oneOf(TYPES, value, "unsupported mount type") as MountType;
      return;
    case "from":
      mount.from = value;
      return;
    case "source":
    case "src":
      mount.source = value;
      return;
    case "target":
    case "dst":
    case "destination":
      mount.target = value;
      return;
    case "id":
      mount.id = value;
      return;
    case "env":
      mount.env = value;
      return;
    case "size":
      only(mount, key, ["tmpfs"]);
      mount.size = parseSize(value) ?? fail(`invalid value for size: ${value}`);
      return;
    case "sharing":
      mount.sharing = oneOf(SHARING, value, "unsupported sharing value") as MountSharing;
      return;
    case "mode":
      mount.mode = numberOf(value, 8) ?? fail(`invalid value ${value} for mode`);
      return;
    case "uid":
    case "gid":
      mount[key] = numberOf(value, 10) ?? fail(`invalid value ${value} for ${key}`);
      return;
    default:
      fail(`unexpected key '${key}' in '${field}'${didYouMean(key, KEYS, true)}`);
  }
}

function validate(mount: Mount): void {
  if (mount.type === "bind" || mount.type === "tmpfs") {
    for (const key of ["mode", "uid", "gid"] as const) {
      if (mount[key] !== undefined) fail(`${key} not allowed for "${mount.type}" type mounts`);
    }
  }
  if (mount.type === "secret") {
    if (mount.from !== "") fail("secret mount should not have a from");
    if (mount.sharing !== undefined) fail("secret mount should not define sharing");
    if (mount.source === "" && mount.target === "" && mount.id === "") {
      fail("invalid secret mount. one of source, target required");
    }
    if (mount.source !== "" && mount.id !== "") fail("both source and id can't be set");
  }
  if (mount.sharing !== undefined && mount.type !== "cache")
    fail(`invalid cache sharing set for ${mount.type} mount`);
}

interface Field {
  readonly key: string;
  readonly value: string | undefined;
  readonly field: string;
}

function fieldsOf(text: string): Field[] {
  return splitCsv(text).map((field) => {
    const equals = field.indexOf("=");
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    return { key, value: equals < 0 ? undefined : field.slice(equals + 1), field };
  });
}

/** One line of comma separated values, quoted ones with doubled quotes, as Go's encoding/csv reads it. */
export function splitCsv(text: string): string[] {
  if (text.trim() === "") fail("failed to parse csv mounts: EOF");
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    const quoted = text[at] === '"' ? /^"((?:[^"]|"")*)"(?=,|$)/.exec(text.slice(at)) : null;
    if (text[at] === '"' && quoted === null)
      fail(`failed to parse csv mounts: parse error on line 1: extraneous or missing " in quoted-field`);
    const end = quoted === null ? text.indexOf(",", at) : at + quoted[0].length;
    const field =
      quoted === null ? text.slice(at, end < 0 ? undefined : end) : quoted[1]!.replaceAll('""', '"');
    if (quoted === null && field.includes('"'))
      fail(`failed to parse csv mounts: parse error on line 1: bare " in non-quoted-field`);
    fields.push(field);
    if (end < 0 || end >= text.length) return fields;
    at = end;
  }
}

/** Bytes of `10`, `10k`, `1.5gb`, `2GiB`: powers of 1024; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp])?(?:i?b)?$/i.exec(text);
  if (match === null) return undefined;
  const power = match[2] === undefined ? 0 : "kmgtp".indexOf(match[2].toLowerCase()) + 1;
  return Math.floor(Number(match[1]) * 1024 ** power);
}

function only(mount: Draft, key: string, types: readonly MountType[]): void {
  if (!types.includes(mount.type)) fail(`unexpected key '${key}' for mount type '${mount.type}'`);
}

function oneOf(options: readonly string[], value: string, message: string): string {
  const lower = value.toLowerCase();
  return options.includes(lower) ? lower : fail(`${message} "${value}"${didYouMean(value, options, true)}`);
}

function booleanOf(key: string, value: string): boolean {
  return parseBoolean(value) ?? fail(`invalid value for ${key}: ${value}`);
}

function numberOf(text: string, base: 8 | 10): number | undefined {
  if (!(base === 8 ? /^[0-7]+$/ : /^\d+$/).test(text)) return undefined;
  const value = Number.parseInt(text, base);
  return value < 2 ** 32 ? value : undefined;
}

function fail(message: string): never {
  throw new DockerfileError(message);
}
