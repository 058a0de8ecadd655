/**
 * Logins with registries, kept where docker keeps them, so that either program's logins serve the other: in
 * `config.json`, or in the program that it names (`docker-credential-…`).
 *
 * @see docs.docker.com/reference/cli/docker/login, "Credential stores" and "Credential helpers"
 */
import { spawn } from "node:child_process";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RegistryLogin } from "../client/types/system.ts";
import { AppError } from "../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

interface ConfigFile {
  readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string }>>;
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

/** The login for an image's registry; undefined where there is none: then it is asked as anybody. */
export async function loginFor(image: string, env: Environment): Promise<RegistryLogin | undefined> {
  const registry = registryOf(image);
  const config = await readConfig(env);
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  if (helper !== undefined) return await askHelper(helper, registry);
  const entry = config.auths?.[registry] ?? config.auths?.[`https://${registry}`];
  if (entry === undefined) return undefined;
  const [, username = "", password = ""] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(entry.auth ?? "", "base64").toString("utf8")) ?? [];
  return {
    username,
    password,
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
      const login = await askHelper(helper, registry);
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
    await runHelper(helper, "store", JSON.stringify({ ServerURL: registry, Username: name, Secret: secret }));
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
  if (helper !== undefined) {
    await runHelper(helper, "erase", registry);
    return true;
  }
  const { [registry]: known, ...others } = config.auths ?? {};
  if (known === undefined) return false;
  await writeConfig({ ...config, auths: others }, env);
  return true;
}

function configFile(env: Environment): string {
  return join(env["DOCKER_CONFIG"] || join(env["HOME"] ?? "/", ".docker"), "config.json");
}

async function readConfig(env: Environment): Promise<ConfigFile> {
  const file = configFile(env);
  const text = await readFile(file, "utf8").catch(() => "{}");
  try {
    return JSON.parse(text) as ConfigFile;
  } catch (cause) {
    throw new AppError("USAGE", `${file} is no JSON: ${(cause as Error).message}`, {
      hint: "Correct it, or move it away.",
      cause,
    });
  }
}

/** Secrets are in it: nobody else may read it, and a crash must not leave half of it. */
async function writeConfig(config: ConfigFile, env: Environment): Promise<string> {
  const file = configFile(env);
  await mkdir(join(file, ".."), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.tmp`, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
  return file;
}

async function askHelper(helper: string, registry: string): Promise<RegistryLogin | undefined> {
  const answer = await runHelper(helper, "get", registry).catch(() => undefined); // It has no login for it.
  if (answer === undefined) return undefined;
  const { Username, Secret } = JSON.parse(answer) as { readonly Username: string; readonly Secret: string };
  const token = Username === "<token>";
  return {
    ...(token ? { identitytoken: Secret } : { username: Username, password: Secret }),
    serveraddress: registry,
  };
}

function runHelper(helper: string, verb: "get" | "store" | "erase", input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${helper}`, [verb], { stdio: ["pipe", "pipe", "ignore"] });
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
