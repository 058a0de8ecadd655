/**
 * Where a project's files are: the only part of the model that reads. What it finds is what docker compose finds, in the
 * same order: `-f`, COMPOSE_FILE (also from `.env`), then compose.yaml and its like here or in a folder above.
 */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { AppError } from "../errors.ts";
import { parseEnv } from "./dotenv.ts";
import { type Environment, fromProcess, type Known } from "./environment.ts";
import type { Given } from "./name.ts";
import { SourceText } from "./place.ts";
import type { Problems } from "./problems.ts";
import { type Fetched, localPath } from "./remote.ts";
import type { ProjectSource } from "./types.ts";

const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES = [
  "compose.override.yml",
  "compose.override.yaml",
  "docker-compose.override.yml",
  "docker-compose.override.yaml",
];

/** Reads files; a language server hands in one that knows its open documents. */
export interface Files {
  /** The text of a file, or undefined when there is none. */
  read(path: string): string | undefined;
  kind(path: string): "file" | "directory" | undefined;
  /** The path without symbolic links, as far as it is there. */
  real(path: string): string;
}

export const disk: Files = {
  read(path) {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      if (code === "EISDIR")
        throw new AppError("COMPOSE_READ", `${path} is a folder, not a file`, { cause: error });
      throw new AppError("COMPOSE_READ", `${path} cannot be read: ${(error as Error).message}`, {
        cause: error,
      });
    }
  },
  kind(path) {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isDirectory() ? "directory" : stat && "file";
  },
  real(path) {
    try {
      return realpathSync(path);
    } catch {
      // What is not there yet has no links.
      return path;
    }
  },
};

/** What `locate` found out before any file is parsed. */
export interface Located {
  /** Absolute paths, `-` for standard input. */
  readonly files: readonly string[];
  readonly workingDir: string;
  readonly home: string;
  readonly environment: Environment;
  readonly envFiles: readonly string[];
  readonly profiles: readonly string[];
  /** Set by a flag or COMPOSE_PROJECT_NAME; else the files or the folder give it. */
  readonly projectName: Given | undefined;
}

/** @throws {RemoteNeeded} */
export function locate(
  source: ProjectSource,
  files: Files,
  problems: Problems,
  fetched: Fetched = new Map(),
): Located {
  const shell = fromProcess({ ...source.env, PWD: source.env["PWD"] ?? source.cwd });
  const local = (file: string): string =>
    file === "-" ? file : resolve(source.cwd, localPath(file, undefined, fetched));
  const given = (source.files ?? []).map(local);
  const envFiles = explicitEnvFiles(source);
  const firstDir = directory(source, given);
  let environment = withEnvFiles(shell, envFiles ?? defaultEnvFile(firstDir, source, files), files);
  const found =
    given.length > 0 ? given : (fromVariable(environment)?.map(local) ?? discover(firstDir, files, problems));
  if (found.length === 0) {
    throw new AppError("COMPOSE_FILE_MISSING", `no compose file in ${firstDir} or any folder above it`, {
      hint: "Name one with -f, or write a compose.yaml.",
    });
  }
  const workingDir = directory(source, found);
  if (!envFiles && workingDir !== firstDir)
    environment = withEnvFiles(environment, defaultEnvFile(workingDir, source, files), files);
  const profiles = [
    ...(source.profiles ?? []),
    ...(environment.get("COMPOSE_PROFILES") ?? "").split(","),
  ].map((name) => name.trim());
  return {
    files: found,
    workingDir,
    home: source.env["HOME"] || homedir(),
    environment,
    envFiles: envFiles ?? [],
    profiles: [...new Set(profiles)].filter((name) => name !== ""),
    projectName: givenName(source, environment),
  };
}

function givenName(source: ProjectSource, environment: Environment): Given | undefined {
  if (source.projectName) return { name: source.projectName, from: "-p" };
  const name = environment.get("COMPOSE_PROJECT_NAME");
  const from = environment.sourceOf("COMPOSE_PROJECT_NAME");
  return name ? { name, from: from === "shell" ? "COMPOSE_PROJECT_NAME" : from! } : undefined;
}

/** The folder that relative paths start from: what the user says, else the first file's. */
function directory(source: ProjectSource, files: readonly string[]): string {
  if (source.projectDirectory) return resolve(source.cwd, source.projectDirectory);
  const first = files.find((file) => file !== "-");
  return first === undefined ? resolve(source.cwd) : dirname(first);
}

function explicitEnvFiles(source: ProjectSource): string[] | undefined {
  const names = source.envFiles?.length
    ? source.envFiles
    : (source.env["COMPOSE_ENV_FILES"] ?? "").split(",").filter((name) => name !== "");
  return names.length > 0 ? names.map((name) => resolve(source.cwd, name)) : undefined;
}

function defaultEnvFile(directory: string, source: ProjectSource, files: Files): string[] {
  if (/^(1|t|true)$/i.test(source.env["COMPOSE_DISABLE_ENV_FILE"] ?? "")) return [];
  const path = join(directory, ".env");
  return files.kind(path) === "file" ? [path] : [];
}

/**
 * Adds what files of variables say: a later file wins over an earlier, and what is known already over both.
 *
 * @throws {AppError} ENV_FILE_MISSING, ENV_FILE_SYNTAX
 */
export function withEnvFiles(environment: Environment, paths: readonly string[], files: Files): Environment {
  const found = new Map<string, Known>();
  for (const path of paths) {
    const text = files.kind(path) === "directory" ? undefined : files.read(path);
    if (text === undefined)
      throw new AppError("ENV_FILE_MISSING", `there is no env file ${path}`, {
        hint: "Check --env-file and COMPOSE_ENV_FILES.",
      });
    const entries = parseEnv(
      new SourceText(path, text),
      (name) => environment.get(name) ?? found.get(name)?.value,
    );
    for (const [name, { value, line }] of entries)
      if (!/^\s*\d/.test(name)) found.set(name, { value, from: `${path}:${line}` });
  }
  return environment.withDefaults(found);
}

function fromVariable(environment: Environment): string[] | undefined {
  const value = environment.get("COMPOSE_FILE");
  if (!value) return undefined;
  return value.split(environment.get("COMPOSE_PATH_SEPARATOR") || delimiter).filter((name) => name !== "");
}

function discover(start: string, files: Files, problems: Problems): string[] {
  for (let folder = start; ; folder = dirname(folder)) {
    const [first, ...rest] = present(folder, NAMES, files);
    if (first !== undefined) {
      if (rest.length > 0) several([first, ...rest], problems);
      const overrides = present(folder, OVERRIDES, files);
      if (overrides.length > 1) several(overrides, problems);
      return overrides[0] === undefined ? [first] : [first, overrides[0]];
    }
    if (dirname(folder) === folder) return [];
  }
}

const present = (folder: string, names: readonly string[], files: Files): string[] =>
  names.map((name) => join(folder, name)).filter((path) => files.kind(path) === "file");

function several(paths: readonly string[], problems: Problems): void {
  problems.warn(
    "COMPOSE_FILES",
    `${paths.map((path) => basename(path)).join(", ")} stand side by side; ${basename(paths[0]!)} is used`,
    undefined,
    "Keep one, or name the files with -f.",
  );
}

/** Reads the texts of a project once each. */
export class Reader {
  readonly files: Files;
  readonly #stdin: string | undefined;
  readonly #texts = new Map<string, SourceText>();

  constructor(files: Files, stdin: string | undefined) {
    this.files = files;
    this.#stdin = stdin;
  }

  /** @returns undefined when there is no such file */
  text(path: string): SourceText | undefined {
    const before = this.#texts.get(path);
    if (before) return before;
    const text = path === "-" ? this.#stdin : this.files.read(path);
    if (text === undefined) return undefined;
    const file = new SourceText(path, text);
    this.#texts.set(path, file);
    return file;
  }

  /** All texts read so far. */
  get texts(): Iterable<SourceText> {
    return this.#texts.values();
  }
}

/** Where relative paths start, and the folder that `~` stands for. */
export interface Base {
  readonly directory: string;
  readonly home: string;
}

export function absolute(path: string, { directory, home }: Base): string {
  // As docker compose reads it, for which `~name` is no other user's folder.
  if (path.startsWith("~")) return join(home, path.slice(1)).replace(/(.)\/$/, "$1");
  if (isAbsolute(path)) return path;
  return join(directory, path).replace(/(.)\/$/, "$1");
}
