import { EngineError } from "../../errors.ts";
import { parseReference, type Reference } from "../reference.ts";
import { type ListEntry, listDocument, type ManifestList } from "./list-document.ts";
import { type Descriptor, type Manifest, parseManifest } from "./manifest.ts";
import { putManifest } from "./push.ts";
import type { RegistrySession } from "./session.ts";
import { upload } from "./upload.ts";

/** A session with the repository of a reference. */
export type OpenSession = (reference: Reference) => RegistrySession;

const CREATED = 201;

/**
 * Pushes a list, and before it the images that its repository lacks: their blobs are mounted where the registry does
 * that, else they are carried from one repository to the other.
 *
 * @param pushed is told of each image
 * @returns the list's digest
 * @throws {EngineError} invalid for an image of another registry
 */
export async function pushList(
  list: ManifestList,
  open: OpenSession,
  pushed: (reference: string) => void,
): Promise<string> {
  const target = parseReference(list.name);
  const session = open(target);
  const { bytes, mediaType } = listDocument(list);
  for (const entry of list.entries) {
    const source = parseReference(entry.name);
    if (source.domain !== target.domain) {
      throw new EngineError(
        "invalid",
        `cannot use source images from a different registry than the target image: ${source.domain} != ${target.domain}`,
      );
    }
    if (source.path !== target.path) await carryImage(entry, open(source), source, session);
    pushed(`${target.domain}/${target.path}@${entry.digest}`);
  }
  await putManifest(session, target.tag ?? "latest", bytes, mediaType);
  return parseManifest(bytes, mediaType).digest;
}

async function carryImage(
  { digest }: ListEntry,
  from: RegistrySession,
  source: Reference,
  to: RegistrySession,
): Promise<void> {
  const { bytes, parsed } = await from.manifest(digest);
  const { config, layers } = parsed as Manifest;
  for (const blob of new Map([config, ...layers].map((one) => [one.digest, one])).values()) {
    if (await to.hasBlob(blob.digest)) continue;
    if (!(await mount(blob, source, to))) await carryBlob(blob, from, to);
  }
  await putManifest(to, digest, bytes, parsed.mediaType);
}

async function mount({ digest }: Descriptor, source: Reference, to: RegistrySession): Promise<boolean> {
  const query = new URLSearchParams({ mount: digest, from: source.path });
  const scope = `${to.pushScope} repository:${source.path}:pull`;
  const response = await to.write({ method: "POST", path: `blobs/uploads/?${query}` }, scope);
  response.resume();
  return response.statusCode === CREATED;
}

async function carryBlob(blob: Descriptor, from: RegistrySession, to: RegistrySession): Promise<void> {
  async function* open(start: number, end = blob.size): AsyncGenerator<Buffer> {
    let at = start;
    for await (const piece of await from.blob(blob, start)) {
      const part = (piece as Buffer).subarray(0, end - at);
      at += part.length;
      yield part;
      if (at >= end) return;
    }
  }
  await upload(to, { digest: blob.digest, size: blob.size, open });
}
