import { mkdtemp, rm } from "node:fs/promises";
import { join, posix } from "node:path";
import { Readable } from "node:stream";
import { readIgnoreFile } from "../../builder/ignore.ts";
import type { ContextSource, Secret } from "../../builder/types.ts";
import { EngineError } from "../../errors.ts";
import type { RegistryAuth } from "../../images/types.ts";
import type { Workers } from "../../native/workers.ts";
import { readFiles, readSmallFiles } from "./files.ts";
import { GrpcError } from "./grpc.ts";
import { Bytes, Credentials, CredentialsAnswer, SecretAnswer, SecretRequest } from "./messages.ts";
import { packFiles } from "./pack.ts";
import type { BuildSession } from "./sessions.ts";

const GET_SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret";

export interface Definition {
  readonly text: string;
  /** Patterns of what is not part of the context. */
  readonly ignore: readonly string[];
}

/**
 * Fetches the Dockerfile and what says which files are left out: `NAME.dockerignore` beside it, else `.dockerignore`
 * of the context.
 *
 * @throws {EngineError} invalid, if there is no Dockerfile
 */
export async function fetchDefinition(session: BuildSession, file: string): Promise<Definition> {
  const names = [file, `${file}.dockerignore`];
  const files = await readSmallFiles(session.client, {
    directory: "dockerfile",
    include: names,
    follow: names,
  });
  const text = files.get(posix.normalize(file));
  if (text === undefined) {
    throw new EngineError("invalid", `failed to read dockerfile: open ${file}: no such file or directory`);
  }
  const beside = files.get(posix.normalize(`${file}.dockerignore`));
  return {
    text: text.toString(),
    ignore: readIgnoreFile((beside ?? (await rootIgnore(session))).toString()),
  };
}

async function rootIgnore(session: BuildSession): Promise<Buffer> {
  const names = [".dockerignore"];
  const files = await readSmallFiles(session.client, { directory: "context", include: names, follow: names });
  return files.get(".dockerignore") ?? Buffer.alloc(0);
}

/** The main context, sent while the build reads it. */
export function streamContext(session: BuildSession, ignore: readonly string[]): ContextSource {
  return {
    kind: "tar",
    stream: Readable.from(packFiles(readFiles(session.client, { directory: "context", exclude: ignore }))),
  };
}

const UPLOAD = "/moby.upload.v1.Upload/Pull";

/**
 * A context that is no directory of the client: a repository or archive that the engine fetches, or an archive that
 * the client was given and passes on under a made-up address.
 */
export function addressedContext(session: BuildSession, address: string): ContextSource {
  const url = URL.parse(address);
  if (url?.hostname !== "buildkit-session") return { kind: "remote", url: address };
  const call = session.client.open(UPLOAD, { urlpath: url.pathname, urlhost: url.host });
  const pieces = (async function* () {
    for await (const message of call.messages) yield Bytes.decode(message).data;
  })();
  call.end();
  return { kind: "tar", stream: Readable.from(pieces, { objectMode: false }) };
}

const CREDENTIALS = "/moby.filesync.v1.Auth/Credentials";

/** Logins with registries, as the client has them. */
export async function sessionLogin(
  session: BuildSession,
  registry: string,
): Promise<RegistryAuth | undefined> {
  if (!session.methods.has(CREDENTIALS)) return undefined;
  const { username, secret } = await session.client.call(CREDENTIALS, Credentials, CredentialsAnswer, {
    // The client's own name for Docker Hub, from the days of its first registry.
    host: registry === "docker.io" ? "registry-1.docker.io" : registry,
  });
  if (secret === "") return undefined;
  return username === "" ? { identitytoken: secret } : { username, password: secret };
}

/** Named contexts of a build, as the builder reads them; those of the client are unpacked and removed at the end. */
export class NamedContexts implements AsyncDisposable {
  readonly #workers: Pick<Workers, "untar">;
  readonly #parent: string;
  #directory: string | undefined;

  /** @param parent an existing directory of ours */
  constructor(workers: Pick<Workers, "untar">, parent: string) {
    this.#workers = workers;
    this.#parent = parent;
  }

  /** @throws {EngineError} notImplemented, for a context that is neither an image, a stage nor the client's */
  async fetch(
    session: BuildSession,
    named: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>>> {
    const contexts: Record<string, string> = {};
    for (const [name, source] of Object.entries(named)) {
      if (/^(docker-image:\/\/|target:)/.test(source)) contexts[name] = source;
      else if (source.startsWith("local:"))
        contexts[name] = await this.#unpack(session, source.slice("local:".length));
      else throw new EngineError("notImplemented", `the named context ${name}=${source} is not supported`);
    }
    return contexts;
  }

  async #unpack(session: BuildSession, directory: string): Promise<string> {
    this.#directory ??= await mkdtemp(join(this.#parent, "session-"));
    const path = await mkdtemp(join(this.#directory, "context-"));
    const names = [".dockerignore"];
    const files = await readSmallFiles(session.client, { directory, include: names, follow: names });
    const exclude = readIgnoreFile(files.get(".dockerignore")?.toString() ?? "");
    const tar = Readable.from(packFiles(readFiles(session.client, { directory, exclude })));
    await this.#workers.untar(tar, { kind: "dir", path }, { whiteouts: "plain" });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true, force: true });
  }
}

/** @returns undefined where the client has none of that name */
export async function fetchSecret(session: BuildSession, id: string): Promise<Secret | undefined> {
  if (!session.methods.has(GET_SECRET)) return undefined;
  try {
    const { data } = await session.client.call(GET_SECRET, SecretRequest, SecretAnswer, { id });
    return { id, value: data };
  } catch (error) {
    if (error instanceof GrpcError) return undefined;
    throw error;
  }
}
