import type { Readable } from "node:stream";
import { EngineError } from "../../errors.ts";
import type { FileType, TreeRoot } from "../../native/trees.ts";
import type { Manifest } from "../manifest.ts";

/** A file or directory that was found in a tree, every link on the way followed inside the tree. */
export interface Found {
  /** Without links, relative to the root, "" for the root itself. */
  readonly path: string;
  /** The name it was asked by, which a copy gets. */
  readonly name: string;
  readonly type: FileType;
}

export interface Content {
  readonly digest: string;
  /** Path by path, where the tree knows it without reading all: contexts. */
  readonly manifest?: Manifest;
}

/** Where COPY, ADD and mounts take files from: a build context, a stage, an image. */
export interface SourceTree {
  readonly root: TreeRoot;
  /** @param path absolute. @returns undefined where there is nothing (or only what is ignored) */
  find(path: string): Promise<Found | undefined>;
  /**
   * What a pattern of Go's filepath.Match names, component by component, sorted.
   *
   * @throws {EngineError} invalid where the last component matches a link that leads nowhere, as in BuildKit
   */
  glob(pattern: string): Promise<Found[]>;
  /** Every path below a directory, relative to it, sorted: for patterns that look deeper. */
  below(directory: string): Promise<readonly { readonly path: string; readonly type: FileType }[]>;
  /**
   * What a copy would take: names, kinds, modes, contents and links; times never.
   *
   * @param exclude paths of the tree below it that are left out
   */
  content(found: Found, exclude: ReadonlySet<string>): Promise<Content>;
  /** Paths of the tree below one that must not be copied. */
  hiddenBelow(path: string): readonly string[];
  read(path: string): Promise<Readable>;
}

export function leadsNowhere(path: string): EngineError {
  return new EngineError("invalid", `failed to calculate checksum: "${path}": not found (a link to nothing)`);
}
