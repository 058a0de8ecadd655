/** COPY and ADD: what is taken from where, in absolute paths. */
import { posix } from "node:path";
import { parseChmod } from "../chmod.ts";
import { DockerfileError } from "../dockerfile/position.ts";
import { parseGitReference } from "../giturl.ts";
import { hasWildcard } from "../match.ts";
import { checkCopiedPath } from "./checks.ts";
import { type Dispatch, titleText } from "./command.ts";
import type { CopyItem, TreeSource } from "./types.ts";

export function planCopy(dispatch: Dispatch<"add"> | Dispatch<"copy">): void {
  const { stage, draft, command, context, onBuild, word } = dispatch;
  const add = command.kind === "add" ? command : undefined;
  const optional = (text: string | undefined): string => (text === undefined ? "" : word(text));
  const chown = optional(command.chown);
  const chmodText = optional(command.chmod);
  const checksum = optional(add?.checksum);
  const exclude = command.exclude.map((pattern) => word(pattern));
  const written = command.sources.paths.map((path) => word(path));
  const target = word(command.sources.target);
  const files = command.sources.files.map(({ name, content, expand }) => ({
    name,
    // A heredoc's body has its own rules: always backslash, quotes mean nothing.
    content: expand ? word(content, { escape: "\\", ignoreQuotes: true }) : content,
  }));
  const from = sourceOf(dispatch);
  const chmod = chmodText === "" ? undefined : parseChmod(chmodText);
  if (checksum !== "") checkChecksum(written);
  const title = stage.stepTitle(titleText(stage.env, command, context), onBuild);
  const items = written.map((path): CopyItem => {
    if (from.kind === "context") checkCopiedPath(path, command, context.sources.ignored, context.linter);
    return remoteItem(path, dispatch, checksum) ?? pathItem(path, dispatch, from);
  });
  for (const file of files) items.push({ kind: "file", ...file });
  const shown = [
    add === undefined ? "COPY" : "ADD",
    ...(command.kind === "copy" && command.parents ? ["--parents"] : []),
    ...(chown === "" ? [] : [`--chown=${chown}`]),
    ...(chmodText === "" ? [] : [`--chmod=${chmodText}`]),
    ...written,
    ...files.map(({ name }) => `<<${name}`),
    target,
  ];
  const historyIndex = draft.record(`${shown.join(" ")} # buildkit`, true, context.epoch);
  stage.steps.push({
    kind: "copy",
    title,
    range: command.node.range,
    historyIndex,
    noCache: stage.noCache,
    add: add !== undefined,
    items,
    target: targetPath(draft.config.WorkingDir, target),
    chown: chown === "" ? undefined : chown,
    chmod,
    link: command.link,
    exclude,
  });
}

function sourceOf({ command, sources, stage }: Dispatch<"add"> | Dispatch<"copy">): TreeSource {
  const [source] = sources;
  if (command.kind === "add" || source === undefined) return { kind: "context" };
  if (!source.planned) {
    const message = `cannot copy from stage "${command.from}", it needs to be defined before current stage "${stage.title}"`;
    throw new DockerfileError(message);
  }
  return source.source;
}

function checkChecksum(paths: readonly string[]): void {
  if (paths.length !== 1) throw new DockerfileError("checksum can't be specified for multiple sources");
  const [path = ""] = paths;
  if (!isHttp(path) && !isGit(path)) throw new DockerfileError("checksum requires HTTP(S) or Git sources");
}

function isHttp(path: string): boolean {
  return /^https?:\/\//.test(path) && !isGit(path);
}

function isGit(path: string): boolean {
  return parseGitReference(path) !== undefined;
}

/** @returns undefined for a path in the context or stage */
function remoteItem(
  path: string,
  { command }: Dispatch<"add"> | Dispatch<"copy">,
  checksum: string,
): CopyItem | undefined {
  const add = command.kind === "add" ? command : undefined;
  const git = parseGitReference(path);
  if (git !== undefined && !git.ambiguous) {
    if (add === undefined) throw new DockerfileError("source can't be a git ref for COPY");
    const { keepGitDirectory } = git;
    if (
      add.keepGitDirectory !== undefined &&
      keepGitDirectory !== undefined &&
      add.keepGitDirectory !== keepGitDirectory
    ) {
      throw new DockerfileError("inconsistent keep-git-dir configuration");
    }
    if (checksum !== "" && git.checksum !== "" && checksum !== git.checksum) {
      throw new DockerfileError(`checksum mismatch "${checksum}" != "${git.checksum}"`);
    }
    return {
      kind: "git",
      remote: git.remote,
      ref: git.ref,
      subdirectory: git.subdirectory,
      checksum: git.checksum || checksum || undefined,
      keepGitDirectory: keepGitDirectory ?? add.keepGitDirectory ?? false,
      submodules: git.submodules ?? true,
    };
  }
  if (!isHttp(path)) return undefined;
  if (add === undefined) throw new DockerfileError("source can't be a URL for COPY");
  if (checksum !== "") checkDigest(checksum);
  const url = URL.canParse(path) ? new URL(path) : undefined;
  const last = url === undefined ? "" : posix.basename(decodePath(url.pathname));
  const name = last === "" || last === "." || last === ".." || last.includes("\0") ? "__unnamed__" : last;
  return { kind: "url", url: path, name, checksum: checksum || undefined, unpack: add.unpack ?? false };
}

/** Percent signs decoded before the last component is taken, so that `%2f` cannot bring a directory in. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function checkDigest(text: string): void {
  const [algorithm, hex] = text.split(":");
  if (hex === undefined) throw new DockerfileError("invalid checksum digest format");
  if (algorithm !== "sha256" && algorithm !== "sha384" && algorithm !== "sha512") {
    throw new DockerfileError("unsupported digest algorithm");
  }
  const length = { sha256: 64, sha384: 96, sha512: 128 }[algorithm];
  if (hex.length !== length) throw new DockerfileError("invalid checksum digest length");
  if (!/^[0-9a-f]+$/.test(hex)) throw new DockerfileError("invalid checksum digest format");
}

function pathItem(path: string, { command }: Dispatch<"add"> | Dispatch<"copy">, from: TreeSource): CopyItem {
  const unpack = command.kind === "add" ? (command.unpack ?? true) : false;
  if (command.kind !== "copy" || !command.parents) {
    return {
      kind: "path",
      from,
      path: posix.resolve("/", path),
      include: undefined,
      required: false,
      unpack,
    };
  }
  // What stands behind "/./" keeps its directories, what stands in front does not.
  const pivot = path.indexOf("/./");
  const root = pivot < 0 ? "/" : path.slice(0, pivot);
  const include = posix.resolve("/", pivot < 0 ? path : path.slice(pivot + 3)).slice(1);
  const required = !hasWildcard(root) && !hasWildcard(include);
  return { kind: "path", from, path: posix.resolve("/", root), include, required, unpack };
}

/** A directory keeps the slash at its end: "", "." and "x/." are directories too. */
function targetPath(directory: string | undefined, target: string): string {
  const path = posix.resolve("/", directory ?? "/", target);
  const isDirectory = target === "" || target === "." || target.endsWith("/") || target.endsWith("/.");
  return isDirectory && path !== "/" ? `${path}/` : path;
}
