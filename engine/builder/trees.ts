/** Every tree that a build may take files from, each opened once. */
import { join } from "node:path";
import { EngineError } from "../errors.ts";
import { full, parseReference, tryParseReference, withDefaultTag } from "../images/reference.ts";
import type { ImageConfig } from "../images/types.ts";
import type { BuilderDeps } from "./builder.ts";
import type { ContextTree } from "./context/context-tree.ts";
import type { Contexts } from "./context/contexts.ts";
import { LayerTree } from "./context/layer-tree.ts";
import { existingDirectory, type OpenContext } from "./context/open.ts";
import type { SourceTree } from "./context/tree.ts";
import { parseGitReference } from "./giturl.ts";
import { IgnoreMatcher, readIgnoreFile } from "./ignore.ts";
import { LAYOUT } from "./layout-image.ts";
import { contextName } from "./plan/stages.ts";
import type { BaseImage, TreeSource } from "./plan/types.ts";

export interface Chains {
  /** Top first. */
  directories(source: TreeSource): Promise<readonly string[]>;
}

type Deps = Pick<BuilderDeps, "paths" | "workers" | "images"> & { readonly contexts: Contexts };

const IMAGE = "docker-image://";

/** Brings what a named context is, and holds it for the time of the build. */
export interface Bringer {
  /** A remote context. @returns the directory it lies in */
  fetch(url: string): Promise<string>;
  image(reference: string): Promise<BaseImage>;
  /** @param text `oci-layout://…` */
  layout(text: string): Promise<BaseImage>;
}

export class Trees {
  readonly #deps: Deps;
  readonly #context: OpenContext;
  /** By the name that the Dockerfile uses. */
  readonly #named: ReadonlyMap<string, string>;
  readonly #open = new Map<string, Promise<ContextTree>>();
  #chains: Chains | undefined;

  readonly #bringer: Bringer;

  constructor(
    deps: Deps,
    context: OpenContext,
    contexts: Readonly<Record<string, string>>,
    bringer: Bringer,
  ) {
    this.#deps = deps;
    this.#bringer = bringer;
    this.#context = context;
    this.#named = new Map(Object.entries(contexts).map(([name, value]) => [normalName(name), value]));
  }

  /** The stages' layers, which there are only once the build is planned. */
  connect(chains: Chains): void {
    this.#chains = chains;
  }

  async of(source: TreeSource): Promise<SourceTree> {
    if (source.kind === "context") return this.#main();
    if (source.kind === "named") return this.#directory(source.name);
    const { workers } = this.#deps;
    const lowers = await this.#chains!.directories(source);
    const [only] = lowers;
    if (lowers.length === 0) return new LayerTree({ kind: "dir", path: await this.#empty() }, workers);
    if (lowers.length === 1) return new LayerTree({ kind: "dir", path: only! }, workers);
    return new LayerTree({ kind: "overlay", lowers }, workers);
  }

  /** @throws {EngineError} where the named context cannot be had */
  async named(name: string): Promise<{ source: TreeSource; config?: ImageConfig } | undefined> {
    const normal = normalName(name);
    const value = this.#named.get(normal);
    if (value === undefined) return undefined;
    const isScheme = /^[a-z][a-z0-9+-]*:\/\//.test(value);
    // Compose names the image of a service by its bare name.
    if (value.startsWith(IMAGE) || !(isScheme || value.startsWith("/") || isRemote(value))) {
      const reference = value.startsWith(IMAGE) ? value.slice(IMAGE.length) : value;
      const image = await this.#bringer.image(full(withDefaultTag(parseReference(reference))));
      return { source: { kind: "image", image }, config: image.config };
    }
    if (value.startsWith(LAYOUT)) {
      const image = await this.#bringer.layout(value);
      return { source: { kind: "image", image }, config: image.config };
    }
    if (isScheme && !isRemote(value)) {
      throw new EngineError(
        "invalid",
        `the context ${name}=${value} is of a kind that is not supported: give a directory, a URL, ${IMAGE}NAME or ${LAYOUT}DIRECTORY`,
      );
    }
    return { source: { kind: "named", name: normal } };
  }

  /** Begins to walk the context while the build is planned, where the build before took files from it, too. */
  expect(): void {
    const { directory } = this.#context;
    if (directory === undefined || !this.#deps.contexts.isKnown(directory)) return;
    this.#main().catch(() => {}); // Told to whoever takes files from it.
  }

  /** Writes down what was learnt of the contexts' contents. */
  async save(): Promise<void> {
    for (const opened of this.#open.values()) {
      const tree = await opened.catch(() => undefined); // Nobody took files from it.
      await tree?.save();
    }
  }

  async #main(): Promise<ContextTree> {
    const { directory, isLasting, ignore } = this.#context;
    const path = directory ?? (await this.#empty());
    return this.#once("", () => this.#deps.contexts.open(path, ignore, isLasting));
  }

  async #directory(name: string): Promise<ContextTree> {
    return this.#once(name, async () => {
      const value = this.#named.get(name)!;
      const isFetched = isRemote(value);
      const path = isFetched ? await this.#bringer.fetch(value) : await existingDirectory(value);
      const text = await this.#deps.workers
        .read({ kind: "dir", path }, ".dockerignore")
        .catch((error: unknown) => {
          if (error instanceof EngineError && error.kind === "notFound") return undefined;
          throw error;
        });
      const ignore = text && new IgnoreMatcher(readIgnoreFile(text.toString("utf8")));
      return this.#deps.contexts.open(path, ignore, !isFetched);
    });
  }

  async #empty(): Promise<string> {
    return join(this.#deps.paths.builder, "empty");
  }

  #once(name: string, open: () => Promise<ContextTree>): Promise<ContextTree> {
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const opened = open();
    opened.catch(() => {});
    this.#open.set(name, opened);
    return opened;
  }
}

/** A git repository or a tar to fetch. */
function isRemote(value: string): boolean {
  return /^https?:\/\//.test(value) || (!value.startsWith("/") && parseGitReference(value) !== undefined);
}

/** Names of stages are free words; those of images have `docker.io/library/` and `:latest` left out. */
function normalName(name: string): string {
  return tryParseReference(name) === undefined ? name.toLowerCase() : contextName(name);
}
