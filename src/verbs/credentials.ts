/**
 * Logins with registries, kept where docker keeps them, so that either program's logins serve the other: in
 * `config.json`, or in the program that it names (`docker-credential-…`).
 *
 * @see docs.docker.com/reference/cli/docker/login, "Credential stores" and "Credential helpers"
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, realpath, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RegistryLogin } from "../client/types/system.ts";
import { AppError } from "../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

interface Entry {
  readonly auth?: string; // base64 of "name:password"
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

interface ConfigFile {
  readonly auths?: Readonly<Record<string, Entry>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

/** Docker Hub's name in the file, a remnant of its first API. */
const HUB = "https://index.docker.io/v1/";

/** The registry that an image comes from, as the file names it. */
export function registryOf(image: string): string {
  const first = image.split("/")[0]!;
  const named = image.includes("/") && (first.includes(".") || first.includes(":") || first === "localhost");
  return named && first !== "docker.io" ? first : HUB;
}

/**
 * The login for an image's registry; undefined where there is none: then it is asked as anybody.
 *
 * @throws {AppError} ENGINE_FAILED for a helper that fails otherwise than by having none
 */
export async function loginFor(image: string, env: Environment): Promise<RegistryLogin | undefined> {
  const registry = registryOf(image);
  const given = entryOf(parseConfig(env["DOCKER_AUTH_CONFIG"] || "{}", "DOCKER_AUTH_CONFIG"), registry);
  if (given !== undefined) return loginOf(given, registry);
  const config = await readConfig(env);
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  if (helper !== undefined) return await askHelper(helper, registry, env);
  const entry = entryOf(config, registry);
  return entry === undefined ? undefined : loginOf(entry, registry);
}

/** Programs write the registry with its scheme, or with a path as well. */
function entryOf({ auths = {} }: ConfigFile, registry: string): Entry | undefined {
  const key = Object.keys(auths).find((name) => bare(name) === bare(registry));
  return auths[registry] ?? (key === undefined ? undefined : auths[key]);
}

function bare(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

function loginOf(entry: Entry, registry: string): RegistryLogin {
  const [, name = "", word = ""] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(entry.auth ?? "", "base64").toString("utf8")) ?? [];
  return {
    username: name || (entry.username ?? ""),
    password: word || (entry.password ?? ""),
    ...(entry.identitytoken && { identitytoken: entry.identitytoken }),
    serveraddress: registry,
  };
}

/** Every login there is, as `auths` of a `config.json`: what helpers keep is written out. */
export async function allLogins(env: Environment): Promise<NonNullable<ConfigFile["auths"]>> {
  const { auths = {}, credHelpers = {}, credsStore } = await readConfig(env);
  const helpers = new Map(Object.entries(credHelpers));
  if (credsStore !== undefined)
    for (const registry of Object.keys(auths)) helpers.set(registry, helpers.get(registry) ?? credsStore);
  const kept = await Promise.all(
    [...helpers].map(async ([registry, helper]) => {
      const login = await askHelper(helper, registry, env);
      if (!login) return [];
      const { username = "", password = "", identitytoken } = login;
      const auth = Buffer.from(`${username}:${password}`).toString("base64");
      return [[registry, { auth, ...(identitytoken && { identitytoken }) }] as const];
    }),
  );
  const plain = Object.entries(auths).filter(([, { auth, identitytoken }]) => auth || identitytoken);
  return { ...Object.fromEntries(plain), ...Object.fromEntries(kept.flat()) };
}

/** Keeps a login, in the helper that the file names, else in the file. */
export async function keepLogin(registry: string, login: RegistryLogin, env: Environment): Promise<string> {
  const config = await readConfig(env);
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  const { username = "", password = "", identitytoken } = login;
  if (helper !== undefined) {
    const secret = identitytoken ?? password;
    const name = identitytoken ? "<token>" : username;
    const kept = JSON.stringify({ ServerURL: registry, Username: name, Secret: secret });
    await runHelper(helper, "store", kept, env);
    // Which registries the helper has: programs look here before they ask it.
    await writeConfig({ ...config, auths: { ...config.auths, [registry]: {} } }, env);
    return `docker-credential-${helper}`;
  }
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  const entry = identitytoken
    ? { auth: Buffer.from(`${username}:`).toString("base64"), identitytoken }
    : { auth };
  return await writeConfig({ ...config, auths: { ...config.auths, [registry]: entry } }, env);
}

/** @returns whether there was a login to forget */
export async function forgetLogin(registry: string, env: Environment): Promise<boolean> {
  const config = await readConfig(env);
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  if (helper !== undefined) await runHelper(helper, "erase", registry, env);
  const { [registry]: known, ...others } = config.auths ?? {};
  if (known !== undefined) await writeConfig({ ...config, auths: others }, env);
  return known !== undefined || helper !== undefined;
}

function configFile(env: Environment): string {
  return join(env["DOCKER_CONFIG"] || join(env["HOME"] ?? "/", ".docker"), "config.json");
}

async function readConfig(env: Environment): Promise<ConfigFile> {
  const file = configFile(env);
  return parseConfig(textOf(file), file);
}

/** Without threads: every build reads it, and starting them takes longer. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "{}";
  }
}

/** @throws {AppError} USAGE; the text, which may hold passwords, is not repeated */
function parseConfig(text: string, where: string): ConfigFile {
  try {
    return JSON.parse(text) as ConfigFile;
  } catch {
    throw new AppError("USAGE", `${where} is no JSON`, { hint: "Correct it, or move it away." });
  }
}

/** Secrets are in it: nobody else may read it, and a crash must not leave half of it. */
async function writeConfig(config: ConfigFile, env: Environment): Promise<string> {
  const file = configFile(env);
  await mkdir(join(file, ".."), { recursive: true, mode: 0o700 });
  // A link stays one: the file may lie among somebody's dotfiles.
  const target = await realpath(file).catch(() => file);
  const temporary = `${target}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  await rename(temporary, target);
  return file;
}

/** What helpers say where they have nothing. @see docker-credential-helpers, credentials/error.go */
const NOTHING = /credentials not found in native keychain/;

async function askHelper(
  helper: string,
  registry: string,
  env: Environment,
): Promise<RegistryLogin | undefined> {
  const answer = await runHelper(helper, "get", registry, env).catch((error: AppError) => {
    // Files are carried to machines that have no such helper; there nobody is logged in.
    if (error.code === "USAGE" || NOTHING.test(error.message)) return undefined;
    throw error;
  });
  if (answer === undefined) return undefined;
  const { Username, Secret } = JSON.parse(answer) as { readonly Username: string; readonly Secret: string };
  const token = Username === "<token>";
  return {
    ...(token ? { identitytoken: Secret } : { username: Username, password: Secret }),
    serveraddress: registry,
  };
}

function runHelper(
  helper: string,
  verb: "get" | "store" | "erase",
  input: string,
  env: Environment,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const stdio = ["pipe", "pipe", "ignore"] as const;
    const child = spawn(`docker-credential-${helper}`, [verb], { stdio: [...stdio], env: { ...env } });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.on("error", (cause) => {
      reject(
        new AppError("USAGE", `the credential helper docker-credential-${helper} cannot be run`, { cause }),
      );
    });
    child.on("close", (status) => {
      if (status === 0) resolve(output);
      else
        reject(
          new AppError(
            "ENGINE_FAILED",
            `docker-credential-${helper} ${verb}: ${output.trim() || `exit ${status}`}`,
          ),
        );
    });
    child.stdin.on("error", () => undefined); // It may end before it has read; its status tells why.
    child.stdin.end(input);
  });
}
