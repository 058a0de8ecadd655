/** The client's side of a build has the files; this end asks for them, in the protocol of fsutil. */
import { EngineError } from "../../errors.ts";
import type { GrpcClient } from "./grpc.ts";
import { type FileStat, PACKET, Packet } from "./messages.ts";
import type { TypeOf } from "./protobuf.ts";

export type Stat = Partial<TypeOf<typeof FileStat>>;

export interface FileQuery {
  /** What the client calls the directory: `context`, `dockerfile`, or a named context. */
  readonly directory: string;
  /** Only these, if there are any. */
  readonly include?: readonly string[];
  /** As in a .dockerignore. */
  readonly exclude?: readonly string[];
  /** Links that lead to what is included are followed. */
  readonly follow?: readonly string[];
}

export interface RemoteFile {
  readonly stat: Stat;
  /** Of a regular file; else empty. */
  readonly content: AsyncIterable<Buffer>;
}

const METHOD = "/moby.filesync.v1.FileSync/DiffCopy";

/** How many bytes are asked for ahead; one file is always. */
const AHEAD = 4 * 1024 * 1024;

/**
 * Reads a directory of the client, in the order of its paths. Each file's content has to be read to its end before the
 * next file is taken.
 *
 * @throws {EngineError} invalid, if the client cannot read one of its files
 */
export async function* readFiles(client: GrpcClient, query: FileQuery): AsyncGenerator<RemoteFile> {
  const call = client.open(METHOD, headersOf(query));
  const packets = call.messages[Symbol.asyncIterator]();
  const next = async (): Promise<TypeOf<typeof Packet>> => {
    const { value, done } = await packets.next();
    if (done) throw new EngineError("system", "the client ended the transfer of its files");
    const packet = Packet.decode(value as Buffer);
    if (packet.type === PACKET.error) throw new EngineError("invalid", packet.data.toString());
    return packet;
  };
  const stats: Stat[] = [];
  for (let packet = await next(); packet.stat?.path; packet = await next()) stats.push(packet.stat);

  const transfer = new Transfer(stats, next, (bytes) => call.send(bytes));
  for (const [id, stat] of stats.entries()) {
    if (!isContent(stat)) yield { stat, content: nothing() };
    else {
      await transfer.ask(id);
      yield { stat, content: transfer.content(id) };
    }
  }
  await call.send(Packet.encode({ type: PACKET.end }));
  call.end();
  // The client answers with an end of its own, and with the status of the call.
  for (;;) if ((await packets.next()).done) return;
}

/** Contents that are under way; those of other files than the one being read wait here. */
class Transfer {
  readonly #stats: readonly Stat[];
  readonly #next: () => Promise<TypeOf<typeof Packet>>;
  readonly #send: (bytes: Buffer) => Promise<void>;
  readonly #waiting = new Map<number, Buffer[]>();
  readonly #complete = new Set<number>();
  #asked = 0;
  #ahead = 0;

  constructor(
    stats: readonly Stat[],
    next: () => Promise<TypeOf<typeof Packet>>,
    send: (bytes: Buffer) => Promise<void>,
  ) {
    this.#stats = stats;
    this.#next = next;
    this.#send = send;
  }

  /** Asks for a file, and for those after it as long as they are small: a round trip each would cost most of the time. */
  async ask(id: number): Promise<void> {
    while (this.#asked < this.#stats.length && (this.#asked <= id || this.#ahead < AHEAD)) {
      const at = this.#asked++;
      const stat = this.#stats[at] ?? {};
      if (!isContent(stat)) continue;
      this.#ahead += stat.size ?? 0;
      this.#waiting.set(at, []);
      await this.#send(Packet.encode({ type: PACKET.request, id: at }));
    }
  }

  async *content(id: number): AsyncGenerator<Buffer> {
    for (;;) {
      yield* this.#waiting.get(id)?.splice(0) ?? [];
      if (this.#complete.delete(id)) break;
      const packet = await this.#next();
      if (packet.type !== PACKET.data) continue;
      if (packet.data.length === 0) this.#complete.add(packet.id);
      else this.#waiting.get(packet.id)?.push(packet.data);
    }
    this.#waiting.delete(id);
    this.#ahead -= this.#stats[id]?.size ?? 0;
  }
}

/** Go's FileMode has the kinds in its upper bits; none of them is a regular file. */
const KINDS = 0x8f280000;

function isContent(stat: Stat): boolean {
  return ((stat.mode ?? 0) & KINDS) === 0 && (stat.link ?? "") === "";
}

async function* nothing(): AsyncGenerator<Buffer> {}

function headersOf(query: FileQuery): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { "dir-name": query.directory };
  for (const [name, values] of [
    ["include-patterns", query.include],
    ["exclude-patterns", query.exclude],
    ["followpaths", query.follow],
  ] as const) {
    if (values === undefined || values.length === 0) continue;
    // Headers are ASCII; BuildKit's way around it is to escape all of them and to say so.
    const plain = values.every((value) => /^[\x20-\x7e]*$/.test(value));
    headers[name] = plain ? [...values] : values.map((value) => encodeURIComponent(value));
    if (!plain) headers[`${name}-encoded`] = "1";
  }
  return headers;
}

/** Small files as a whole, by path. */
export async function readSmallFiles(
  client: GrpcClient,
  query: FileQuery,
): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const { stat, content } of readFiles(client, query)) {
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk);
    if (isContent(stat)) files.set((stat.path ?? "").replace(/^\/+/, ""), Buffer.concat(chunks));
  }
  return files;
}
