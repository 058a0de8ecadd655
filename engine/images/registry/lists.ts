/**
 * Lists of images for several platforms, put together here and then pushed: `manifest create`, `annotate`, `inspect`,
 * `push` and `rm`, as Docker's command line has them. What an entry names stays in its registry until the push.
 */
import { EngineError } from "../../errors.ts";
import { Records } from "../../store/records.ts";
import { digestOf, hexOf } from "../digest.ts";
import { familiar, full, parseReference, type Reference, withDefaultTag } from "../reference.ts";
import type { RegistryAuth } from "../types.ts";
import {
  checkPlatform,
  type ListEntry,
  type ListPlatform,
  listDocument,
  type ManifestList,
} from "./list-document.ts";
import { pushList } from "./push-list.ts";
import { RegistrySession } from "./session.ts";
import type { Transport } from "./transport.ts";

export interface ListOptions {
  /** The login for a registry, by its domain. */
  readonly logins?: (domain: string) => RegistryAuth | undefined;
  readonly signal?: AbortSignal;
}

export class ManifestLists {
  readonly #records: Records<ManifestList>;
  readonly #transport: Transport;

  private constructor(records: Records<ManifestList>, transport: Transport) {
    this.#records = records;
    this.#transport = transport;
  }

  static async open(directory: string, transport: Transport): Promise<ManifestLists> {
    return new ManifestLists(await Records.open(directory), transport);
  }

  /**
   * @param options.amend add to a list that is there
   * @returns its name as people write it
   * @throws {EngineError} conflict for a list that is there, invalid for an entry that is a list itself
   */
  async create(
    name: string,
    images: readonly string[],
    options: ListOptions & { readonly amend?: boolean },
  ): Promise<string> {
    const list = nameOf(name);
    const known = this.#records.get(idOf(list));
    if (known !== undefined && options.amend !== true)
      throw new EngineError("conflict", "refusing to amend an existing manifest list with no --amend flag");
    const entries = new Map((known?.entries ?? []).map((entry) => [entry.name, entry]));
    for (const image of images) {
      const entry = await this.#entry(image, options);
      entries.set(entry.name, entry);
    }
    await this.#records.put(idOf(list), { name: list, entries: [...entries.values()] });
    return shown(list);
  }

  /** @throws {EngineError} notFound for an image that is not in the list; invalid for a platform that there is not */
  async annotate(name: string, image: string, platform: Partial<ListPlatform>): Promise<void> {
    const [list, wanted] = [nameOf(name), nameOf(image)];
    const known = this.#records.get(idOf(list));
    const entry = known?.entries.find((one) => one.name === wanted);
    if (known === undefined || entry === undefined) {
      const message = `manifest for image ${shown(wanted)} does not exist in ${shown(list)}`;
      throw new EngineError("notFound", message);
    }
    const changed = { ...entry, platform: { ...entry.platform, ...platform } };
    checkPlatform(changed.platform);
    const entries = known.entries.map((one) => (one === entry ? changed : one));
    await this.#records.put(idOf(list), { ...known, entries });
  }

  /** The document of a list that is here, or else what a registry has under the name. */
  async inspect(name: string, options: ListOptions): Promise<string> {
    const known = this.#records.get(idOf(nameOf(name)));
    if (known !== undefined) return listDocument(known).bytes.toString("utf8");
    const reference = withDefaultTag(parseReference(name));
    const { bytes } = await missingSaid(
      reference,
      this.#open(reference, options).manifest(wantedOf(reference)),
    );
    return bytes.toString("utf8");
  }

  /** @param pushed is told of each image @returns the list's digest @throws {EngineError} notFound, invalid, forbidden */
  push(name: string, options: ListOptions, pushed: (reference: string) => void): Promise<string> {
    return pushList(this.#get(name), (reference) => this.#open(reference, options), pushed);
  }

  /** @throws {EngineError} notFound */
  async remove(name: string): Promise<void> {
    await this.#records.remove(idOf(this.#get(name).name));
  }

  #get(name: string): ManifestList {
    const found = this.#records.get(idOf(nameOf(name)));
    if (found === undefined) throw new EngineError("notFound", `No such manifest: ${name}`);
    return found;
  }

  async #entry(image: string, options: ListOptions): Promise<ListEntry> {
    const reference = withDefaultTag(parseReference(image));
    const session = this.#open(reference, options);
    const { parsed, digest, bytes } = await missingSaid(reference, session.manifest(wantedOf(reference)));
    if (parsed.kind === "index")
      throw new EngineError("invalid", `${familiar(reference)} is a manifest list`);
    const config = JSON.parse((await session.smallBlob(parsed.config)).toString("utf8")) as ListPlatform;
    const { os, architecture, variant } = config;
    const platform = { os, architecture, ...(variant !== undefined && { variant }) };
    return { name: full(reference), mediaType: parsed.mediaType, digest, size: bytes.length, platform };
  }

  #open(reference: Reference, { logins, signal }: ListOptions): RegistrySession {
    const auth = logins?.(reference.domain);
    return new RegistrySession(this.#transport, reference, {
      ...(auth && { auth }),
      ...(signal && { signal }),
    });
  }
}

/** The answer for a name that a registry does not have, in Docker's words. */
async function missingSaid<R>(reference: Reference, work: Promise<R>): Promise<R> {
  try {
    return await work;
  } catch (cause) {
    if (!(cause instanceof EngineError) || cause.kind !== "notFound") throw cause;
    throw new EngineError("notFound", `no such manifest: ${familiar(reference)}`, { cause });
  }
}

function wantedOf({ tag = "latest", digest }: Reference): string {
  return digest ?? tag;
}

function nameOf(text: string): string {
  return full(withDefaultTag(parseReference(text)));
}

function shown(name: string): string {
  return familiar(parseReference(name));
}

/** A name may hold slashes, which a record's id may not. */
function idOf(name: string): string {
  return hexOf(digestOf(name));
}
