/** Where a client wants the result of its build, and how files get there: over its session, as fsutil sends them. */
import { constants, createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Output } from "../../builder/results/outputs.ts";
import { EngineError } from "../../errors.ts";
import type { WalkEntry } from "../../native/trees.ts";
import type { Workers } from "../../native/workers.ts";
import { Bytes, type FileStat, PACKET, Packet } from "./messages.ts";
import type { TypeOf } from "./protobuf.ts";
import type { BuildSession } from "./sessions.ts";

const SEND = "/moby.filesync.v1.FileSend/DiffCopy";

/** An exporter of BuildKit, as the client names it. */
export interface Exporter {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Of the exporters that mean this engine's own images. */
const STORES = ["", "moby", "image"];
const ARCHIVES = ["tar", "oci", "docker"] as const;

/** Names for this engine's images, of those exporters that store them. */
export function namesOf(exporters: readonly Exporter[]): string[] {
  return exporters.flatMap(({ attributes }) =>
    (attributes["name"] ?? "").split(",").filter((name) => name !== ""),
  );
}

/** Names that are to be pushed once they are there. */
export function pushedNames(exporters: readonly Exporter[]): string[] {
  return namesOf(exporters.filter(({ attributes }) => attributes["push"] === "true"));
}

/** Outputs of a build that its client gets; they wait in a directory of ours until the build has succeeded. */
export class SessionOutputs implements AsyncDisposable {
  readonly outputs: readonly Output[];
  readonly #directory: string;
  /** What goes to the client, with the exporter's place in its list, by which the client knows it. */
  readonly #sent: readonly {
    readonly type: string;
    readonly exporter: Exporter;
    readonly path: string;
    readonly id: number;
  }[];

  private constructor(directory: string, exporters: readonly Exporter[]) {
    this.#directory = directory;
    this.#sent = exporters
      .map((exporter, id) => ({ type: exporter.type, exporter, path: join(directory, String(id)), id }))
      .filter(({ type }) => !STORES.includes(type));
    const stored = exporters.find(({ type }) => STORES.includes(type));
    this.outputs = [
      ...(stored ? [{ type: "image", rewriteTimestamp: isRewritten(stored) } as const] : []),
      ...this.#sent.map(({ exporter, path }) => outputOf(exporter, path)),
    ];
  }

  /** @throws {EngineError} notImplemented, for a type that is not known */
  static async open(parent: string, exporters: readonly Exporter[]): Promise<SessionOutputs> {
    return new SessionOutputs(await mkdtemp(join(parent, "output-")), exporters);
  }

  async send(session: BuildSession, workers: Pick<Workers, "walk">): Promise<void> {
    for (const { type, path, id } of this.#sent) {
      if (type === "local") await sendDirectory(session, workers, path, id);
      else await sendFile(session, path, id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function isRewritten({ attributes }: Exporter): boolean {
  return attributes["rewrite-timestamp"] === "true";
}

function outputOf(exporter: Exporter, dest: string): Output {
  const { type } = exporter;
  if (type === "local") return { type, dest };
  const archive = ARCHIVES.find((name) => name === type);
  if (archive === undefined)
    throw new EngineError("notImplemented", `the output type ${type} is not supported`);
  return { type: archive, dest, rewriteTimestamp: isRewritten(exporter) };
}

const exporterId = (id: number): Record<string, string> => ({
  "buildkit-attachable-exporter-id": String(id),
});

async function sendFile(session: BuildSession, path: string, id: number): Promise<void> {
  const call = session.client.open(SEND, exporterId(id));
  for await (const data of createReadStream(path) as AsyncIterable<Buffer>)
    await call.send(Bytes.encode({ data }));
  call.end();
  for await (const _ of call.messages); // until the client has closed its file
}

/** Go's FileMode bits of what a directory may hold. */
const MODES: Readonly<Record<WalkEntry["type"], number | undefined>> = {
  file: 0,
  dir: 0x80000000,
  symlink: 0x08000000,
  fifo: 0x02000000,
  char: undefined,
  block: undefined,
  socket: undefined,
};

/** All stats first, then the contents that the client asks for. */
async function sendDirectory(
  session: BuildSession,
  workers: Pick<Workers, "walk">,
  root: string,
  id: number,
): Promise<void> {
  const call = session.client.open(SEND, exporterId(id));
  const paths: string[] = [];
  for await (const entry of workers.walk({ kind: "dir", path: root })) {
    const kind = MODES[entry.type];
    if (entry.path === "" || kind === undefined) continue;
    paths.push(entry.path);
    await call.send(Packet.encode({ type: PACKET.stat, stat: statOf(entry, kind) }));
  }
  await call.send(Packet.encode({ type: PACKET.stat }));
  for await (const message of call.messages) {
    const packet = Packet.decode(message);
    if (packet.type === PACKET.error) throw new EngineError("invalid", packet.data.toString());
    if (packet.type === PACKET.end) {
      await call.send(Packet.encode({ type: PACKET.end }));
      call.end();
    }
    const path = paths[packet.id];
    if (packet.type !== PACKET.request || path === undefined) continue;
    // The directory is ours alone, and its own directories are no links; the file itself must be none either.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
    const content = createReadStream(join(root, path), { flags: flags as unknown as string });
    for await (const data of content as AsyncIterable<Buffer>) {
      await call.send(Packet.encode({ type: PACKET.data, id: packet.id, data }));
    }
    await call.send(Packet.encode({ type: PACKET.data, id: packet.id }));
  }
}

function statOf(entry: WalkEntry, kind: number): Partial<TypeOf<typeof FileStat>> {
  const { mode, uid, gid, size, mtimeNs, linkTarget } = entry;
  const special = ((mode & 0o4000) << 12) | ((mode & 0o2000) << 12) | ((mode & 0o1000) << 11);
  return {
    path: entry.path,
    mode: kind + ((mode & 0o777) | special),
    uid,
    gid,
    size: entry.type === "file" ? size : 0,
    modified: Number(mtimeNs),
    link: linkTarget,
  };
}
