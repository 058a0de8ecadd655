/** COPY and ADD: finds what is to be copied, keys it by content, and has a worker copy it. */
import { posix } from "node:path";
import { EngineError } from "../../errors.ts";
import type { Owner } from "../../native/trees.ts";
import type { CopyOptions } from "../../native/workers.ts";
import { digestOf } from "../cache.ts";
import type { Found, SourceTree } from "../context/tree.ts";
import { IgnoreMatcher } from "../ignore.ts";
import type { Manifest } from "../manifest.ts";
import { hasWildcard } from "../match.ts";
import type { CopyItem, CopyStep } from "../plan/types.ts";
import { copyAgain, type Earlier } from "./again.ts";
import { openArchive } from "./archive.ts";
import { type MadeDirectories, makeDirectories, stampDirectories } from "./directories.ts";
import { followLinks } from "./links.ts";
import { ownerOf } from "./owner.ts";
import { parentsMatches } from "./parents.ts";
import type { Prepared, StepTools, Target } from "./types.ts";

/** One thing to copy. */
interface Source {
  readonly tree: SourceTree;
  readonly found: Found;
  /** Paths of the tree that are left out. */
  readonly exclude: ReadonlySet<string>;
  /** `--parents`: paths of the tree that are taken, directories on the way with them. */
  readonly only: readonly string[] | undefined;
  readonly unpack: boolean;
  /** Belongs to 0:0 unless --chown says otherwise: contexts, URLs, heredocs; stages and images keep their owners. */
  readonly ownerless: boolean;
}

export async function prepareCopy(step: CopyStep, tools: StepTools): Promise<Prepared> {
  const sources: Source[] = [];
  const files: Extract<CopyItem, { kind: "file" }>[] = [];
  for (const item of step.items) {
    if (item.kind === "file") files.push(item);
    else sources.push(...(await sourcesOf(item, step, tools)));
  }
  const { target, chown, chmod, link, add } = step;
  const inputs: Record<string, string> = {
    target: digestOf([target, chown, chmod, link, add, tools.epoch]),
    ...Object.fromEntries(files.map(({ name, content }) => [`heredoc ${name}`, digestOf(content)])),
  };
  let manifest: Manifest | undefined;
  for (const [index, source] of sources.entries()) {
    const { tree, found, only, unpack } = source;
    const { digest, manifest: listed } = await tree.content(found, hiddenOf(source));
    inputs[`${index} ${found.name}`] = digestOf([found.type, digest, only, unpack]);
    if (index === 0) manifest = listed;
  }
  const [first] = sources;
  const isOneDirectory =
    sources.length === 1 && files.length === 0 && first?.found.type === "dir" && first.only === undefined;
  if (!isOneDirectory) manifest = undefined;
  return {
    inputs,
    independent: link,
    manifest,
    perform: async (into, output, earlier) => {
      const owner = chown === undefined ? undefined : await chownOwner(chown, into, tools, output);
      const copy: Copying = { step, tools, into, owner, made: [] };
      for (const source of sources)
        await copySource(source, copy, earlier && manifest && { earlier, manifest });
      for (const file of files) await writeFile(file, copy);
      for (const each of copy.made) await stampDirectories(into.tree, each, tools);
    },
  };
}

/** A name that the image does not know is passed over, as in BuildKit; the step's output says so. */
async function chownOwner(
  chown: string,
  into: Target,
  { workers }: StepTools,
  output: Parameters<Prepared["perform"]>[1],
): Promise<Owner> {
  const { owner, unknown } = await ownerOf(chown, into.tree, workers);
  for (const { what, name } of unknown) {
    const file = what === "user" ? "passwd" : "group";
    const used = what === "user" ? "root" : "the user's own group";
    const text = `--chown: no ${what} ${name} in the image's /etc/${file}, ${used} is used\n`;
    output("stderr", Buffer.from(text));
  }
  return owner;
}

async function sourcesOf(
  item: Exclude<CopyItem, { kind: "file" }>,
  step: CopyStep,
  tools: StepTools,
): Promise<Source[]> {
  const whole = { exclude: new Set<string>(), only: undefined, ownerless: true };
  if (item.kind === "url") {
    const { tree, found } = await tools.remotes.download(item, tools);
    return [{ ...whole, tree, found, unpack: item.unpack }];
  }
  if (item.kind === "git") {
    const { tree, found } = await tools.remotes.clone(item, tools);
    return [{ ...whole, tree, found, unpack: false }];
  }
  const tree = await tools.tree(item.from);
  const ownerless = item.from.kind === "context" || item.from.kind === "named";
  const matches = hasWildcard(item.path) ? await tree.glob(item.path) : [await findOrFail(tree, item.path)];
  const sources: Source[] = [];
  for (const found of matches) {
    const exclude = await excludedBelow(tree, found, step.exclude);
    let only: readonly string[] | undefined;
    if (item.include !== undefined) {
      only = await parentsMatches(tree, found, item.include);
      if (only.length === 0 && item.required) throw notFound(posix.join(item.path, item.include));
      if (only.length === 0) continue;
    }
    sources.push({ tree, found, exclude, only, unpack: item.unpack, ownerless });
  }
  return sources;
}

async function findOrFail(tree: SourceTree, path: string): Promise<Found> {
  const found = await tree.find(path);
  if (found === undefined) throw notFound(path);
  return found;
}

function notFound(path: string): EngineError {
  return new EngineError(
    "invalid",
    `failed to calculate checksum: "${path}": not found (it is absent or excluded by .dockerignore)`,
  );
}

/** `--exclude` looks only into directories, at paths relative to them. */
async function excludedBelow(
  tree: SourceTree,
  found: Found,
  patterns: readonly string[],
): Promise<Set<string>> {
  const exclude = new Set<string>();
  if (patterns.length === 0 || found.type !== "dir") return exclude;
  const matcher = new IgnoreMatcher(patterns);
  for (const { path, type } of await tree.below(found.path)) {
    if (!matcher.ignores(path) || (type === "dir" && matcher.mayShowBelow(path))) continue;
    exclude.add(posix.join(found.path, path));
  }
  return exclude;
}

interface Copying {
  readonly step: CopyStep;
  readonly tools: StepTools;
  readonly into: Target;
  readonly owner: Owner | undefined;
  readonly made: MadeDirectories[];
}

const ROOT: Owner = { uid: 0, gid: 0 };

function hiddenOf({ tree, found, exclude }: Source): Set<string> {
  return new Set([...exclude, ...tree.hiddenBelow(found.path)]);
}

async function copySource(
  source: Source,
  copying: Copying,
  again?: { readonly earlier: Earlier; readonly manifest: Manifest },
): Promise<void> {
  const { step, tools, into, owner } = copying;
  const { tree, found, only } = source;
  if (source.unpack && found.type === "file" && (await unpack(source, copying))) return;
  const contents = found.type === "dir";
  const target = contents ? step.target : await fileTarget(found.name, copying);
  await makeParents(contents ? posix.join(target, "x") : target, copying);
  const to = relative(target);
  const options: CopyOptions = {
    items: [{ source: found.path, target: to, contents }],
    exclude: [...hiddenOf(source)],
    ...(only !== undefined && { only }),
    ...((owner ?? source.ownerless) && { owner: owner ?? ROOT }),
    ...(step.chmod !== undefined && { mode: step.chmod }),
    mtime: tools.epoch ?? "keep",
  };
  if (again !== undefined) {
    const { earlier, manifest } = again;
    if (await copyAgain(earlier, manifest, tree.root, found.path, into, to, options, tools)) return;
  }
  await tools.workers.copy(tree.root, into.tree, options);
}

/** @returns whether it was an archive */
async function unpack({ tree, found }: Source, copying: Copying): Promise<boolean> {
  const { step, tools, into, owner } = copying;
  const archive = await openArchive(await tree.read(found.path));
  if (archive === undefined) return false;
  // What an archive brings keeps its modes, and --chmod is for files that are copied.
  await makeParents(posix.join(step.target, "x"), copying, 0o755);
  await tools.workers.untar(archive, into.tree, {
    path: relative(step.target),
    whiteouts: "plain",
    ...(owner !== undefined && { owner }),
  });
  return true;
}

async function writeFile(
  { name, content }: { name: string; content: string },
  copying: Copying,
): Promise<void> {
  const { step, tools, into, owner } = copying;
  const target = await fileTarget(name, copying);
  await makeParents(target, copying);
  const scratch = await tools.scratch();
  const from = { kind: "dir", path: scratch } as const;
  await tools.workers.write(from, "file", content, { mode: 0o644 });
  await tools.workers.copy(from, into.tree, {
    items: [{ source: "file", target: relative(target) }],
    owner: owner ?? ROOT,
    ...(step.chmod !== undefined && { mode: step.chmod }),
    mtime: tools.epoch ?? "keep",
  });
}

/** Into a directory under the source's name, or onto the very path: where that is a link, onto what it leads to. */
async function fileTarget(name: string, { step, tools, into }: Copying): Promise<string> {
  if (step.target.endsWith("/")) return posix.join(step.target, name);
  let target = step.target;
  let there = await tools.workers.stat(into.tree, target);
  if (there?.type === "symlink") {
    target = await followLinks(into.tree, target, tools.workers);
    there = await tools.workers.stat(into.tree, target);
  }
  return there?.type === "dir" ? posix.join(target, name) : target;
}

/** Directories on the way are the owner's; an octal --chmod is theirs too, as the newest BuildKit has it. */
async function makeParents(
  path: string,
  { step, tools, into, owner, made }: Copying,
  fixed?: number,
): Promise<void> {
  const parent = posix.dirname(path);
  if (parent === "/") return;
  const mode = fixed ?? (typeof step.chmod === "number" ? step.chmod : 0o755);
  const refusal =
    fixed === undefined ? (shown: string) => `cannot copy to non-directory: ${shown}` : undefined;
  made.push(await makeDirectories(into.tree, parent, mode, owner ?? ROOT, tools, refusal));
}

function relative(path: string): string {
  return path.replace(/^\/+/, "").replace(/\/+$/, "");
}
