/**
 * Fetches what `-f`, `include` and `extends` name of other machines, and says so. A commit or digest is fetched once and
 * kept; a branch or tag is asked for each time, and is what it was last where nobody answers.
 */
import { join } from "node:path";
import type { RegistryLogin } from "../client/types/system.ts";
import { AppError, type SourcePosition } from "../errors.ts";
import type { GitAddress, OciAddress, RemoteAddress } from "../model/remote.ts";
import { Cache } from "./cache.ts";
import { checkoutGit, composeFileIn, resolveGit } from "./git.ts";
import { COMPOSE_NAME, digestOf, keyOf, unpackArtifact } from "./oci.ts";
import { RegistryClient } from "./registry.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface FetchContext {
  readonly env: Environment;
  /** The login for the registry of an image's name. */
  login(image: string): Promise<RegistryLogin | undefined>;
  /** Told what is fetched, before it is, and where an old copy has to do. */
  say(text: string): void;
}

/** docker compose's own switches. */
const SWITCHES = { git: "COMPOSE_EXPERIMENTAL_GIT_REMOTE", oci: "COMPOSE_EXPERIMENTAL_OCI_REMOTE" } as const;

/** @returns the file's path on this machine. @throws {AppError} COMPOSE_REMOTE */
export async function fetchRemote(
  remote: RemoteAddress,
  at: SourcePosition | undefined,
  context: FetchContext,
): Promise<string> {
  const name = SWITCHES[remote.kind];
  if (/^(0|f|false)$/i.test(context.env[name] ?? ""))
    throw failure(remote, at, `${name} forbids to fetch it`, `Take ${name} away, or download the file.`);
  context.say(`fetching ${remote.address}`);
  const cache = new Cache(context.env);
  try {
    return remote.kind === "git"
      ? await fetchGit(remote, cache, context)
      : await fetchArtifact(remote, cache, context);
  } catch (cause) {
    const reason = cause instanceof Error ? said(cause) : String(cause);
    throw failure(remote, at, reason, "Look at the address and the network.", cause);
  }
}

/** As `fetchRemote`, for an editor: only what has been fetched before. @throws {AppError} COMPOSE_REMOTE */
export async function findFetched(
  remote: RemoteAddress,
  at: SourcePosition | undefined,
  env: Environment,
): Promise<string> {
  const cache = new Cache(env);
  const key = await cache.last(remote.address);
  if (key === undefined)
    throw failure(remote, at, "it has not been fetched yet", "Run `slipway config`, which fetches it.");
  if (remote.kind === "oci") return join(cache.path(keyOf(key)), COMPOSE_NAME);
  return await composeFileIn(cache.path(key), remote.path);
}

async function fetchGit(remote: GitAddress, cache: Cache, context: FetchContext): Promise<string> {
  const commit = await current(remote, cache, context, () => resolveGit(remote, context.env));
  return await checkoutGit(remote, commit, cache, context.env);
}

async function fetchArtifact(remote: OciAddress, cache: Cache, context: FetchContext): Promise<string> {
  const registry = new RegistryClient(remote, await context.login(`${remote.registry}/${remote.repository}`));
  let manifest: Buffer | undefined;
  const digest = await current(remote, cache, context, async () => {
    const answer = await registry.manifest();
    manifest = answer;
    const found = digestOf(answer);
    if (remote.reference.startsWith("sha256:") && remote.reference !== found)
      throw new Error("what the registry gives has another digest");
    return found;
  });
  return manifest
    ? await unpackArtifact(manifest, digest, registry, cache)
    : join(cache.path(keyOf(digest)), COMPOSE_NAME);
}

/** What an address stands for now; where nobody answers, what it stood for. */
async function current(
  { address }: RemoteAddress,
  cache: Cache,
  context: FetchContext,
  ask: () => Promise<string>,
): Promise<string> {
  try {
    const key = await ask();
    await cache.remember(address, key);
    return key;
  } catch (error) {
    const last = await cache.last(address);
    if (last === undefined) throw error;
    context.say(`${address}: ${said(error as Error)}; the copy of ${last.slice(0, 19)} is used`);
    return last;
  }
}

/** fetch() says "fetch failed", and why in its cause. */
const said = (error: Error): string =>
  error.cause instanceof Error && error.message === "fetch failed" ? error.cause.message : error.message;

function failure(
  { address }: RemoteAddress,
  at: SourcePosition | undefined,
  reason: string,
  hint: string,
  cause?: unknown,
): AppError {
  return new AppError("COMPOSE_REMOTE", `${address} cannot be had: ${reason}`, {
    ...(at && { at }),
    hint,
    cause,
  });
}
