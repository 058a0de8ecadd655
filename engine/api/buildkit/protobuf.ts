/**
 * Protocol Buffers, as far as BuildKit's messages need them: a message is described by an object, and the type of
 * its values follows from the description. Unknown fields are skipped.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */

/** How one value is written. `int` is a varint that is read as a number, exact below 2^53. */
type Scalar = "string" | "bytes" | "bool" | "int";

export interface Message<T> {
  readonly encode: (value: Partial<T>) => Buffer;
  readonly decode: (bytes: Buffer) => T;
}

type Kind = Scalar | Message<unknown>;
type Field =
  | readonly [number: number, kind: Kind]
  | readonly [number: number, kind: Kind, many: "list"]
  | readonly [number: number, kind: Kind, many: "map"];

type Value<K> = K extends "string"
  ? string
  : K extends "bytes"
    ? Buffer
    : K extends "bool"
      ? boolean
      : K extends "int"
        ? number
        : K extends Message<infer T>
          ? Partial<T>
          : never;

/** Absent scalars are read as their zero, absent messages as undefined. */
type FieldValue<F> = F extends readonly [number, infer K, "list"]
  ? readonly Value<K>[]
  : F extends readonly [number, infer K, "map"]
    ? Readonly<Record<string, Value<K>>>
    : F extends readonly [number, infer K]
      ? K extends Scalar
        ? Value<K>
        : Value<K> | undefined
      : never;

type Fields = Readonly<Record<string, Field>>;
type Shape<F extends Fields> = { -readonly [N in keyof F]: FieldValue<F[N]> };

export type TypeOf<M> = M extends Message<infer T> ? T : never;

/** Describes a message: `message({ id: [1, "string"], labels: [2, "string", "map"] })`. */
export function message<const F extends Fields>(fields: F): Message<Shape<F>> {
  const byNumber = new Map(Object.entries(fields).map(([name, field]) => [field[0], { name, field }]));
  return {
    encode(value) {
      const parts: Buffer[] = [];
      for (const [name, [number, kind, many]] of Object.entries(fields)) {
        const given = (value as Record<string, unknown>)[name];
        if (given === undefined) continue;
        if (many === "list") for (const one of given as unknown[]) parts.push(encodeField(number, kind, one));
        else if (many === "map") {
          for (const [key, one] of Object.entries(given as object)) {
            const pair = Buffer.concat([encodeField(1, "string", key), encodeField(2, kind, one)]);
            parts.push(encodeField(number, "bytes", pair));
          }
        } else parts.push(encodeField(number, kind, given));
      }
      return Buffer.concat(parts);
    },
    decode(bytes) {
      const value = emptyOf(fields);
      for (const { number, data } of readFields(bytes)) {
        const known = byNumber.get(number);
        if (known === undefined) continue;
        const [, kind, many] = known.field;
        if (many === "list") (value[known.name] as unknown[]).push(decodeValue(kind, data));
        else if (many === "map") {
          const [key, one] = decodePair(kind, data as Buffer);
          (value[known.name] as Record<string, unknown>)[key] = one;
        } else value[known.name] = decodeValue(kind, data);
      }
      return value as Shape<F>;
    },
  };
}

const ZERO = { string: "", bytes: Buffer.alloc(0), bool: false, int: 0 } as const;

function zeroOf(kind: Kind): unknown {
  return typeof kind === "string" ? ZERO[kind] : undefined;
}

function emptyOf(fields: Fields): Record<string, unknown> {
  const entries = Object.entries(fields).map(([name, [, kind, many]]): [string, unknown] => [
    name,
    many === "list" ? [] : many === "map" ? {} : zeroOf(kind),
  ]);
  return Object.fromEntries(entries);
}

const VARINT = 0;
const LENGTH = 2;

function encodeField(number: number, kind: Kind, value: unknown): Buffer {
  if (kind === "bool" || kind === "int") {
    return Buffer.concat([
      varint(BigInt(number << 3) | BigInt(VARINT)),
      varint(BigInt(value as number | boolean)),
    ]);
  }
  const bytes =
    kind === "string"
      ? Buffer.from(value as string)
      : kind === "bytes"
        ? (value as Buffer)
        : kind.encode(value as Partial<unknown>);
  return Buffer.concat([varint(BigInt((number << 3) | LENGTH)), varint(BigInt(bytes.length)), bytes]);
}

function decodeValue(kind: Kind, data: Buffer | bigint): unknown {
  if (kind === "int") return Number(BigInt.asIntN(64, data as bigint));
  if (kind === "bool") return data !== 0n;
  if (kind === "string") return (data as Buffer).toString();
  return kind === "bytes" ? data : kind.decode(data as Buffer);
}

function decodePair(kind: Kind, bytes: Buffer): [key: string, value: unknown] {
  let key = "";
  let value = typeof kind === "string" ? zeroOf(kind) : kind.decode(Buffer.alloc(0));
  for (const { number, data } of readFields(bytes)) {
    if (number === 1) key = (data as Buffer).toString();
    else if (number === 2) value = decodeValue(kind, data);
  }
  return [key, value];
}

/** Numbers below zero are written as their 64 bits. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, value);
  while (left > 127n) {
    bytes.push(Number(left & 127n) | 128);
    left >>= 7n;
  }
  bytes.push(Number(left));
  return Buffer.from(bytes);
}

/** @throws {RangeError} if the bytes end in the middle of a field */
function* readFields(bytes: Buffer): Generator<{ number: number; data: Buffer | bigint }> {
  let at = 0;
  const read = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError("a message is cut off");
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(read());
    const number = tag >>> 3;
    const wire = tag & 7;
    if (wire === VARINT) yield { number, data: read() };
    else if (wire === LENGTH) yield { number, data: take(Number(read())) };
    else if (wire === 1)
      take(8); // fixed 64: no message here has one that is read
    else if (wire === 5) take(4);
    else throw new RangeError(`wire type ${wire} is unknown`);
  }
}
