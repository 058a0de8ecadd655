import { EngineError } from "../errors.ts";

/** A name of an image, in full: nothing left out that Docker would fill in. */
export interface Reference {
  readonly domain: string; // "docker.io", "localhost:5000"
  readonly path: string; // "library/busybox"
  readonly tag: string | undefined;
  readonly digest: string | undefined; // "sha256:…"
}

const DEFAULT_DOMAIN = "docker.io";
const OFFICIAL = "library/";

const ALNUM = "[a-z0-9]+";
const COMPONENT = `${ALNUM}(?:(?:\\.|_|__|-+)${ALNUM})*`;
const HOST_LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const HOST = `(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[a-fA-F0-9:]+\\])`;
const DOMAIN = new RegExp(`^${HOST}(?::[0-9]+)?$`);
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const BARE_ID = /^[a-f0-9]{64}$/;

/**
 * Reads a name as people write it: `busybox`, `localhost:5000/a/b:tag`, `debian@sha256:…`.
 *
 * No tag is filled in; see `withDefaultTag`.
 *
 * @throws {EngineError} invalid, in the words of distribution/reference, which clients show
 * @see github.com/distribution/reference, normalize.go
 */
export function parseReference(text: string): Reference {
  if (BARE_ID.test(text)) {
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  if (text === "") throw invalid("invalid reference format");
  const { domain, rest } = splitDomain(text);
  const at = rest.indexOf("@");
  const named = at < 0 ? rest : rest.slice(0, at);
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  // A port can only stand in the domain, which is cut off: the first colon begins the tag.
  const colon = named.indexOf(":");
  const path = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (!PATH.test(path)) {
    if (PATH.test(path.toLowerCase())) {
      throw invalid(`invalid reference format: repository name (${path}) must be lowercase`);
    }
    throw invalid("invalid reference format");
  }
  if (!DOMAIN.test(domain) || (tag !== undefined && !TAG.test(tag)))
    throw invalid("invalid reference format");
  if (digest !== undefined) checkDigest(digest);
  if (`${domain}/${path}`.length > 255) throw invalid("repository name must not be more than 255 characters");
  return { domain, path, tag, digest };
}

/** `undefined` where `parseReference` throws. */
export function tryParseReference(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

/** The first part is a host only when it looks like one, so that `user/image` stays on the default registry. */
function splitDomain(text: string): { domain: string; rest: string } {
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  const isHost = first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first;
  let domain = isHost ? first : DEFAULT_DOMAIN;
  let rest = isHost ? text.slice(slash + 1) : text;
  if (domain === "index.docker.io") domain = DEFAULT_DOMAIN;
  if (domain === DEFAULT_DOMAIN && !rest.includes("/")) rest = OFFICIAL + rest;
  return { domain, rest };
}

function checkDigest(digest: string): void {
  if (!DIGEST.test(digest)) throw invalid("invalid reference format");
  const [algorithm, hex = ""] = digest.split(":");
  const length = algorithm === "sha256" ? 64 : algorithm === "sha512" ? 128 : undefined;
  if (length === undefined) throw invalid("unsupported digest algorithm");
  if (hex.length !== length) throw invalid("invalid checksum digest length");
  if (hex !== hex.toLowerCase()) throw invalid("invalid checksum digest format");
}

/** Names without tag and digest mean `latest`. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined
    ? { ...reference, tag: "latest" }
    : reference;
}

/** "docker.io/library/busybox" */
export function fullName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** "busybox", "user/image", "localhost:5000/image": what people are shown. */
export function familiarName(reference: Reference): string {
  if (reference.domain !== DEFAULT_DOMAIN) return fullName(reference);
  const { path } = reference;
  return path.startsWith(OFFICIAL) && !path.slice(OFFICIAL.length).includes("/")
    ? path.slice(OFFICIAL.length)
    : path;
}

/** The familiar name with its tag and digest. */
export function familiar(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}

/** The full name with its tag and digest: the key of a name in the store. */
export function full(reference: Reference): string {
  return fullName(reference) + suffix(reference);
}

function suffix({ tag, digest }: Reference): string {
  return (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}

function invalid(message: string): EngineError {
  return new EngineError("invalid", message);
}
