/** Which sources name a git repository, and what of it. */
import { EngineError } from "../errors.ts";
import { parseBoolean } from "./dockerfile/text.ts";

export interface GitReference {
  readonly remote: string;
  /** The repository's name without `.git`. */
  readonly shortName: string;
  readonly ref: string; // "" is the remote's HEAD
  readonly checksum: string; // a commit, or the start of one
  readonly subdirectory: string;
  /** `github.com/…`: also a fine name of a local path. */
  readonly ambiguous: boolean;
  readonly keepGitDirectory: boolean | undefined;
  readonly submodules: boolean | undefined;
  readonly mtime: string;
  readonly fetchByCommit: boolean;
}

/**
 * @returns undefined where the text is no git source
 * @throws {EngineError} invalid for a git source with a wrong query
 */
export function parseGitReference(text: string): GitReference | undefined {
  const url = splitUrl(text);
  if (url === undefined) return undefined;
  const [fragmentRef = "", subdirectory = ""] = cutAt(url.fragment, ":");
  const query = readQuery(url.query);
  if (query.ref !== "" && fragmentRef !== "" && query.ref !== fragmentRef) {
    throw new EngineError("invalid", `ref conflicts: "${fragmentRef}" vs "${query.ref}"`);
  }
  if (query.subdirectory !== "" && subdirectory !== "" && query.subdirectory !== subdirectory) {
    throw new EngineError("invalid", `subdir conflicts: "${subdirectory}" vs "${query.subdirectory}"`);
  }
  return {
    ...query,
    remote: url.remote,
    shortName: url.remote
      .split("/")
      .at(-1)!
      .replace(/\.git$/, ""),
    ref: fragmentRef === "" ? query.ref : fragmentRef,
    subdirectory: subdirectory === "" ? query.subdirectory : subdirectory,
    ambiguous: text.startsWith("github.com/"),
  };
}

interface SplitUrl {
  readonly remote: string;
  readonly query: string;
  readonly fragment: string;
}

function splitUrl(text: string): SplitUrl | undefined {
  const [body = "", fragment = ""] = cutAt(text, "#");
  if (text.startsWith("github.com/")) {
    const [remote = "", query = ""] = cutAt(body, "?");
    return { remote, query, fragment };
  }
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    // scp's form, user@host:path.
    return /^[a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:/.test(body) ? { remote: body, query: "", fragment } : undefined;
  }
  if (!["http", "https", "ssh", "git"].includes(scheme)) return undefined;
  const [remote = "", query = ""] = cutAt(body, "?");
  if (scheme.startsWith("http") && !remote.endsWith(".git")) return undefined;
  return { remote, query, fragment };
}

function readQuery(query: string): Omit<GitReference, "remote" | "shortName" | "ambiguous"> {
  let ref = "";
  let subdirectory = "";
  let checksum = "";
  let mtime = "";
  let keepGitDirectory: boolean | undefined;
  let submodules: boolean | undefined;
  let fetchByCommit = false;
  const setRef = (value: string): void => {
    if (ref !== "" && ref !== value)
      throw new EngineError("invalid", `ref conflicts: "${ref}" vs "${value}"`);
    ref = value;
  };
  const flag = (key: string, value: string): boolean => {
    const read = value === "" ? true : parseBoolean(value);
    if (read === undefined) throw new EngineError("invalid", `invalid ${key} value: "${value}"`);
    return read;
  };
  for (const [key, value] of new URLSearchParams(query)) {
    if (key === "tag") setRef(`refs/tags/${value}`);
    else if (key === "branch") setRef(`refs/heads/${value}`);
    else if (key === "ref") setRef(value);
    else if (key === "subdir") subdirectory = value;
    else if (key === "checksum" || key === "commit") checksum = value;
    else if (key === "keep-git-dir") keepGitDirectory = flag(key, value);
    else if (key === "submodules") submodules = flag(key, value);
    else if (key === "fetch-by-commit") fetchByCommit = flag(key, value);
    else if (key === "mtime") mtime = value;
    else throw new EngineError("invalid", `unexpected query "${key}"`);
  }
  return { ref, subdirectory, checksum, mtime, keepGitDirectory, submodules, fetchByCommit };
}

function cutAt(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
