import { EngineError } from "../errors.ts";
import { deletedChains } from "./chains.ts";
import type { Leases } from "./leases.ts";
import {
  familiar,
  full,
  parseReference,
  type Reference,
  tryParseReference,
  withDefaultTag,
} from "./reference.ts";
import type { ImageStore } from "./store.ts";
import { type Dropped, sweep } from "./sweep.ts";
import type { Image } from "./types.ts";

/** A container that was made from an image. */
export interface ImageUser {
  readonly containerId: string;
  readonly imageId: string;
  readonly running: boolean;
}

export interface RemoveOptions {
  readonly force?: boolean;
  /** Keep untagged parents. */
  readonly noprune?: boolean;
}

export type Removed = { readonly untagged: string } | { readonly deleted: string };

export interface RemoveDeps {
  readonly store: ImageStore;
  readonly leases: Leases;
  users(): Iterable<ImageUser>;
}

/**
 * Takes a name away, and the image with it when it was the last one; or, by id, an image with all its names.
 *
 * @throws {EngineError} notFound, or conflict in dockerd's words, which scripts look for
 */
export async function removeImage(
  deps: RemoveDeps,
  text: string,
  options: RemoveOptions,
): Promise<Removed[]> {
  const { store } = deps;
  const id = store.resolveId(text);
  const image = id === undefined ? undefined : store.get(id);
  if (image === undefined) throw notFound(text);
  const name = nameIn(store, text, image.id);
  const removed: Removed[] = [];
  if (name !== undefined && store.catalog.namesOf(image.id).length > 1) {
    untag(store, name, removed);
    dropLoneDigests(store, image.id, removed);
    if (store.catalog.namesOf(image.id).length > 0) {
      await store.catalog.save();
      return removed;
    }
  } else if (name === undefined) {
    checkFree(deps, image);
    if (options.force !== true) checkNames(store, image);
    if (options.force !== true) checkStopped(deps, image);
  } else {
    checkUsedByName(deps, image, name, options.force === true);
    untag(store, name, removed);
    // Forced: the container keeps its image, so only the name goes.
    if (userOf(deps, image.id) !== undefined) {
      await store.catalog.save();
      return removed;
    }
  }
  for (const left of store.catalog.namesOf(image.id)) untag(store, parseReference(left), removed);
  const dropped = dropWithParents(deps, image.id, options.noprune === true);
  await sweep(store, deps.leases, dropped);
  return [...removed, ...deletedLines(store, dropped)];
}

/** Each image with the layers that went with it. */
export function deletedLines(store: ImageStore, dropped: readonly Dropped[]): Removed[] {
  const chains = deletedChains(store, dropped);
  return dropped.flatMap(({ id }, at) => [id, ...(chains[at] ?? [])].map((deleted) => ({ deleted })));
}

export function notFound(text: string): EngineError {
  const reference = tryParseReference(text);
  const shown = reference === undefined ? text : familiar(withDefaultTag(reference));
  return new EngineError("notFound", `No such image: ${shown}`);
}

/** The name that was meant, unless it was an id. */
function nameIn(store: ImageStore, text: string, id: string): Reference | undefined {
  const reference = tryParseReference(text);
  if (reference === undefined) return undefined;
  const named = reference.digest === undefined ? withDefaultTag(reference) : { ...reference, tag: undefined };
  return store.catalog.nameTarget(full(named)) === id ? named : undefined;
}

function untag(store: ImageStore, name: Reference, removed: Removed[]): void {
  store.catalog.dropName(full(name));
  removed.push({ untagged: familiar(name) });
}

/** A digest is a name only as long as its repository has a tag for the image. */
function dropLoneDigests(store: ImageStore, id: string, removed: Removed[]): void {
  const names = store.catalog.namesOf(id).map(parseReference);
  for (const name of names) {
    if (name.digest === undefined) continue;
    const hasTag = names.some(
      (other) => other.tag !== undefined && other.domain === name.domain && other.path === name.path,
    );
    if (!hasTag) untag(store, name, removed);
  }
}

function userOf(deps: RemoveDeps, id: string, running?: boolean): ImageUser | undefined {
  for (const user of deps.users()) {
    if (user.imageId === id && (running === undefined || user.running === running)) return user;
  }
  return undefined;
}

function childOf(store: ImageStore, id: string): string | undefined {
  for (const [child, record] of store.catalog.images) if (record.parent === id) return child;
  return undefined;
}

/** What no force overcomes. */
function checkFree(deps: RemoveDeps, image: Image): void {
  const running = userOf(deps, image.id, true);
  if (running !== undefined) {
    throw conflict(
      image.id,
      "cannot be forced",
      `image is being used by running container ${short(running.containerId)}`,
    );
  }
  if (childOf(deps.store, image.id) !== undefined)
    throw conflict(image.id, "cannot be forced", "image has dependent child images");
}

function checkNames(store: ImageStore, image: Image): void {
  const names = store.catalog.namesOf(image.id).map(parseReference);
  if (new Set(names.map(({ domain, path }) => `${domain}/${path}`)).size > 1)
    throw conflict(image.id, "must be forced", "image is referenced in multiple repositories");
}

function checkStopped(deps: RemoveDeps, image: Image): void {
  const stopped = userOf(deps, image.id);
  if (stopped === undefined) return;
  throw conflict(
    image.id,
    "must be forced",
    `image is being used by stopped container ${short(stopped.containerId)}`,
  );
}

function checkUsedByName(deps: RemoveDeps, image: Image, name: Reference, force: boolean): void {
  const user = force ? undefined : userOf(deps, image.id);
  if (user === undefined) return;
  throw new EngineError(
    "conflict",
    `conflict: unable to remove repository reference "${familiar(name)}" (must force) - container ${short(user.containerId)} is using its referenced image ${short(image.id)}`,
  );
}

function conflict(id: string, force: string, why: string): EngineError {
  return new EngineError("conflict", `conflict: unable to delete ${short(id)} (${force}) - ${why}`);
}

function short(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}

/** Drops the image, and the unnamed images it was built from as long as nothing else stands on them. */
export function dropWithParents(deps: RemoveDeps, id: string, keepParents: boolean): Dropped[] {
  const { store } = deps;
  const dropped: Dropped[] = [];
  for (let at: string | undefined = id; at; ) {
    const record = store.catalog.images.get(at);
    if (record === undefined) break;
    const isParent = at !== id;
    if (isParent && (keepParents || store.catalog.namesOf(at).length > 0 || childOf(store, at) !== undefined))
      break;
    if (isParent && userOf(deps, at) !== undefined) break;
    if (userOf(deps, at) !== undefined) store.hide(at);
    else store.drop(at);
    dropped.push({ id: at, layers: record.layers, manifests: record.manifests });
    at = record.parent;
  }
  return dropped;
}
