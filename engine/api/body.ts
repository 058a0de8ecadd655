import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { EngineError } from "../errors.ts";

/** What a JSON body may hold at most, in bytes; the largest seen are secrets and configs of 500 kB. */
const LIMIT = 16 * 1024 * 1024;

/**
 * Reads a whole body.
 *
 * @throws {EngineError} invalid, if it is larger than 16 MiB
 */
export async function readAll(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LIMIT) throw new EngineError("invalid", "the request body is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Takes the body of a request that asks for an upgrade off its connection, and leaves what follows it there:
 * Node hands the connection over without having read the body, so that it would become input of the container.
 *
 * @param head what Node had already read beyond the request's headers
 * @throws {EngineError} invalid, if the body is too large or cut off
 */
export async function takeUpgradeBody(
  request: IncomingMessage,
  connection: Duplex,
  head: Buffer,
): Promise<Buffer> {
  const length = Number(request.headers["content-length"] ?? 0);
  if (!(length <= LIMIT)) throw new EngineError("invalid", "the request body is too large");
  let read = head;
  while (read.length < length) {
    const chunk = connection.read() as Buffer | null;
    if (chunk !== null) read = Buffer.concat([read, chunk]);
    else if (connection.readableEnded || connection.destroyed) {
      throw new EngineError("invalid", "the request body is cut off");
    } else
      await Promise.race([once(connection, "readable"), once(connection, "end"), once(connection, "close")]);
  }
  if (read.length > length) connection.unshift(read.subarray(length));
  return read.subarray(0, length);
}

/**
 * Parses a JSON object as dockerd does.
 *
 * @param empty what an empty body stands for
 * @throws {EngineError} invalid, if the Content-Type is another one or the text is no JSON object
 */
export function parseJson<T extends object>(body: Buffer, contentType: string | undefined, empty?: T): T {
  const text = body.toString().trim();
  if (text === "") {
    if (empty !== undefined) return empty;
    throw new EngineError("invalid", "invalid JSON: got EOF while reading request body");
  }
  const type = contentType?.split(";")[0]?.trim().toLowerCase();
  if (type !== undefined && type !== "" && type !== "application/json") {
    throw new EngineError("invalid", `unsupported Content-Type header (${type}): must be 'application/json'`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EngineError("invalid", `invalid JSON: ${(cause as Error).message}`, { cause });
  }
  if (value === null && empty !== undefined) return empty;
  if (typeof value !== "object" || value === null) {
    throw new EngineError("invalid", "invalid JSON: the body must be an object");
  }
  return value as T;
}
