/** The documents that an editor has open, over the files of the disk. */
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { load } from "../model/load.ts";
import type { Node } from "../model/node.ts";
import { SourceText } from "../model/place.ts";
import { Problems } from "../model/problems.ts";
import { disk, type Files } from "../model/source.ts";
import type { Project, ProjectSource } from "../model/types.ts";
import { parseYaml } from "../model/yaml.ts";

export const toPath = (uri: string): string => fileURLToPath(uri);
export const toUri = (path: string): string => pathToFileURL(path).href;

export class Documents {
  readonly #open = new Map<string, string>();
  /** The last tree of each that could be read: while somebody types, the text mostly cannot. */
  readonly #trees = new Map<string, Node>();

  set(path: string, text: string): void {
    this.#open.set(path, text);
    const [tree] = parse(new SourceText(path, text));
    if (tree) this.#trees.set(path, tree);
  }

  close(path: string): void {
    this.#open.delete(path);
    this.#trees.delete(path);
  }

  get paths(): readonly string[] {
    return [...this.#open.keys()];
  }

  text(path: string): SourceText {
    return new SourceText(path, this.#open.get(path) ?? disk.read(path) ?? "");
  }

  tree(path: string): Node | undefined {
    return this.#trees.get(path) ?? parse(this.text(path))[0];
  }

  get files(): Files {
    return {
      ...disk,
      read: (path) => this.#open.get(path) ?? disk.read(path),
      kind: (path) => (this.#open.has(path) ? "file" : disk.kind(path)),
    };
  }

  /**
   * The project that a document belongs to: the one of its folder, or of one above, that is made of it among others; a
   * variant such as compose.ci.yaml lies over the file beside it; any other stands alone.
   *
   * @throws {AppErrors} what is wrong with it
   */
  async load(path: string, env: ProjectSource["env"]): Promise<Project> {
    const cwd = dirname(path);
    const name = basename(path);
    const given = (files?: readonly string[]): ProjectSource => ({
      cwd,
      env,
      profiles: ["*"],
      fetch: async (remote, at) => (await import("../remote/fetch.ts")).findFetched(remote, at, env),
      ...(files && { files }),
    });
    if (/^(docker-)?compose(\.override)?\.ya?ml$/.test(name)) return await load(given(), this.files);
    const read = new Set<string>();
    const files = this.files;
    const watched: Files = {
      ...files,
      read(file) {
        read.add(file);
        return files.read(file);
      },
    };
    const whole = await load(given(), watched).then(
      (project) => ({ project }),
      (error: unknown) => ({ error }),
    );
    if (read.has(path)) {
      if ("error" in whole) throw whole.error;
      return whole.project;
    }
    const [, main] = /^((?:docker-)?compose)\..+\.ya?ml$/.exec(name) ?? [];
    const beside = ["yaml", "yml"].map((ending) => join(cwd, `${main}.${ending}`));
    const below = main === undefined ? undefined : beside.find((file) => files.kind(file) === "file");
    return await load(given(below === undefined ? [path] : [below, path]), files);
  }
}

function parse(file: SourceText): readonly Node[] {
  const problems = new Problems();
  const nodes = parseYaml(file, problems);
  return problems.errors.length > 0 ? [] : nodes;
}
