/**
 * Files that are not on this machine: git repositories and OCI artifacts, which `-f`, `include` and `extends` may name as
 * docker compose has it. The loader knows their form; whoever calls it fetches them, or says that nothing is fetched.
 */
import { isMap, itemsOf, type Node, textOf } from "./node.ts";
import type { Place } from "./place.ts";
import { problem } from "./problems.ts";

export interface GitAddress {
  readonly kind: "git";
  readonly address: string; // as written
  readonly url: string; // what git clones
  readonly ref: string; // a branch, tag or commit; `HEAD`
  readonly path: string; // of the file or folder in it; empty: its root
}

export interface OciAddress {
  readonly kind: "oci";
  readonly address: string;
  readonly registry: string;
  readonly repository: string;
  readonly reference: string; // a tag or `sha256:…`
}

export type RemoteAddress = GitAddress | OciAddress;

/** Thrown to the loader, which has the file fetched and begins again. */
export class RemoteNeeded extends Error {
  readonly remote: RemoteAddress;
  readonly at: Place | undefined;

  constructor(remote: RemoteAddress, at: Place | undefined) {
    super(remote.address);
    this.remote = remote;
    this.at = at;
  }
}

/** Where fetched files lie, by their address. */
export type Fetched = ReadonlyMap<string, string>;

/**
 * @returns undefined for a path of this machine
 * @throws {AppError} COMPOSE_REMOTE for an address that is of neither kind
 */
export function parseRemote(address: string, at?: Place): RemoteAddress | undefined {
  if (address.startsWith("oci:")) return parseOci(address, at);
  const [whole, fragment = ""] = splitOnce(address, "#");
  const git =
    /^(?:git|ssh):\/\/|^[\w.-]+@[\w.-]+:(?!\/)/.test(whole) ||
    (/^https?:\/\//.test(whole) && whole.endsWith(".git")) ||
    /^github\.com\//.test(whole);
  if (git) {
    const [ref, path = ""] = splitOnce(fragment, ":");
    const url = whole.startsWith("github.com/") ? `https://${whole}` : whole;
    return { kind: "git", address, url, ref: ref || "HEAD", path };
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(address))
    throw problem("COMPOSE_REMOTE", `${address} is neither a git repository nor an OCI artifact`, at, {
      hint: "Write https://HOST/PATH.git#REF:FOLDER or oci://REGISTRY/NAME:TAG, or download the file.",
    });
  return undefined;
}

/** `oci://REGISTRY/NAME[:TAG|@DIGEST]`, with the defaults of an image's name. */
function parseOci(address: string, at: Place | undefined): OciAddress {
  const name = address.replace(/^oci:(?:\/\/)?/, "");
  const match = /^([a-z0-9][\w./:-]*?)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(name);
  if (!match)
    throw problem("COMPOSE_REMOTE", `${address} names no artifact`, at, {
      hint: "Write oci://REGISTRY/NAME:TAG.",
    });
  const [, path = "", tag, digest] = match;
  const [first, rest] = splitOnce(path, "/");
  const named = rest !== undefined && (/[.:]/.test(first) || first === "localhost");
  const registry = named && first !== "docker.io" ? first : "registry-1.docker.io";
  const bare = named ? rest : path;
  const repository = registry === "registry-1.docker.io" && !bare.includes("/") ? `library/${bare}` : bare;
  return { kind: "oci", address, registry, repository, reference: digest ?? tag ?? "latest" };
}

/** The path of a file on this machine, which may have been fetched. @throws {RemoteNeeded} */
export function localPath(address: string, at: Place | undefined, fetched: Fetched): string {
  const known = fetched.get(address);
  if (known !== undefined) return known;
  const remote = parseRemote(address, at);
  if (remote) throw new RemoteNeeded(remote, at);
  return address;
}

/** As `localPath`, for every path of an `include`. */
export function localPaths(entry: Node, fetched: Fetched): { readonly path: string; readonly node: Node }[] {
  const paths = isMap(entry) ? itemsOf(entry.entries.get("path")) : [];
  return paths.map((node) => ({ path: localPath(textOf(node) ?? "", node.at, fetched), node }));
}

function splitOnce(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
