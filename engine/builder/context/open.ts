/** Where a build's files come from: a directory, read where it lies, or a tar, unpacked for the time of the build. */
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readFile, realpath } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { EngineError } from "../../errors.ts";
import { decompress } from "../../images/decompress.ts";
import type { Workers } from "../../native/workers.ts";
import { IgnoreMatcher, readIgnoreFile } from "../ignore.ts";
import type { ContextSource } from "../types.ts";

/** A Dockerfile or .dockerignore larger than this is none. */
const MOST_TEXT = 16 << 20;

/** What a context is called that is no archive but one file, which is its Dockerfile then. */
export const LONE_FILE = "context";

export interface OpenContext {
  /** Absolute, links followed; undefined where there is no context. */
  readonly directory: string | undefined;
  /** Whether the directory is there for more than this build. */
  readonly isLasting: boolean;
  readonly dockerfile: { readonly text: string; readonly name: string };
  readonly ignore: IgnoreMatcher | undefined;
}

export interface OpenOptions {
  readonly source: ContextSource;
  readonly dockerfile: string | undefined;
  readonly dockerfileText: string | undefined;
  readonly workers: Workers;
  /** An empty directory for what must be unpacked. */
  scratch(): Promise<string>;
  /** Fetches a remote context. @returns the directory it lies in */
  fetch(url: string): Promise<string>;
}

/**
 * @throws {EngineError} notFound for a context or Dockerfile that is not there, invalid for one that is no directory
 *   or file
 */
export async function openContext(options: OpenOptions): Promise<OpenContext> {
  const directory = await directoryOf(options);
  const dockerfile = await dockerfileOf(directory, options);
  const ignore =
    directory === undefined ? undefined : await ignoreOf(directory, dockerfile.path, options.workers);
  return { directory, isLasting: options.source.kind === "directory", dockerfile, ignore };
}

async function directoryOf(options: OpenOptions): Promise<string | undefined> {
  const { source, workers, scratch } = options;
  if (source.kind === "none") return undefined;
  if (source.kind === "directory") return existingDirectory(source.path);
  if (source.kind === "remote") return options.fetch(source.url);
  const directory = await scratch();
  const { stream } = await decompress(source.stream);
  await workers.untar(stream, { kind: "dir", path: directory }, { whiteouts: "plain" });
  return directory;
}

/** @throws {EngineError} */
export async function existingDirectory(path: string): Promise<string> {
  if (!isAbsolute(path)) throw new EngineError("invalid", `the context ${path} is not an absolute path`);
  const real = await realpath(path).catch((cause: unknown) => {
    throw new EngineError("notFound", `unable to prepare context: path "${path}" not found`, { cause });
  });
  if (!(await lstat(real)).isDirectory()) {
    throw new EngineError("invalid", `unable to prepare context: "${path}" is not a directory`);
  }
  return real;
}

interface FoundDockerfile {
  readonly text: string;
  readonly name: string;
  /** Within the context, or absolute beside it; undefined for one that is no file. */
  readonly path: string | undefined;
}

async function dockerfileOf(directory: string | undefined, options: OpenOptions): Promise<FoundDockerfile> {
  const { dockerfile = "", dockerfileText, workers } = options;
  if (dockerfileText !== undefined)
    return { text: dockerfileText, name: dockerfile || "Dockerfile (inline)", path: undefined };
  const name = dockerfile || "Dockerfile";
  if (isAbsolute(name) && options.source.kind === "directory") {
    return { text: await readOutside(name), name, path: name };
  }
  if (directory === undefined)
    throw new EngineError("invalid", "a build without a context needs the Dockerfile's text");
  for (const path of dockerfile === "" ? [name, "dockerfile"] : [name]) {
    const text = await readInside(directory, path, workers);
    if (text !== undefined) return { text, name: path, path };
  }
  if (options.source.kind === "remote") {
    const text = await readInside(directory, LONE_FILE, workers);
    if (text !== undefined) return { text, name: LONE_FILE, path: LONE_FILE };
  }
  throw new EngineError("notFound", `Cannot locate specified Dockerfile: ${name}`);
}

/** The caller named a file of the machine: it is read as it is. */
async function readOutside(path: string): Promise<string> {
  try {
    const stats = await lstat(await realpath(path));
    if (!stats.isFile() || stats.size > MOST_TEXT)
      throw new EngineError("invalid", `${path} is no Dockerfile`);
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw new EngineError("notFound", `failed to read dockerfile: open ${path}: no such file or directory`, {
      cause,
    });
  }
}

/**
 * A text of the context. Plain files at its root are opened as they are; anything else by a worker, which follows links
 * inside the context only.
 */
async function readInside(directory: string, path: string, workers: Workers): Promise<string | undefined> {
  const plain = path.includes("/") ? "other" : await readPlain(join(directory, path));
  if (plain !== "other") return plain;
  try {
    return (await workers.read({ kind: "dir", path: directory }, path, MOST_TEXT)).toString("utf8");
  } catch (error) {
    if (error instanceof EngineError && error.kind === "notFound") return undefined;
    throw error;
  }
}

/** @returns "other" for a link, a pipe, a directory, a file that is too large */
async function readPlain(path: string): Promise<string | undefined | "other"> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : "other";
  }
  try {
    const stats = await file.stat();
    return stats.isFile() && stats.size <= MOST_TEXT ? await file.readFile("utf8") : "other";
  } finally {
    await file.close();
  }
}

/** `<Dockerfile>.dockerignore` wins over the context's own. */
async function ignoreOf(
  directory: string,
  dockerfile: string | undefined,
  workers: Workers,
): Promise<IgnoreMatcher | undefined> {
  let text: string | undefined;
  if (dockerfile !== undefined) {
    const beside = `${dockerfile}.dockerignore`;
    text = isAbsolute(beside)
      ? await readFile(beside, "utf8").catch(() => undefined)
      : await readInside(directory, beside, workers);
  }
  text ??= await readInside(directory, ".dockerignore", workers);
  if (text === undefined) return undefined;
  const matcher = new IgnoreMatcher(readIgnoreFile(text));
  return matcher.isEmpty ? undefined : matcher;
}
