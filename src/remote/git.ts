import { execFile } from "node:child_process";
import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { GitAddress } from "../model/remote.ts";
import type { Cache } from "./cache.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const FILES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/** @returns the commit that a branch, tag or `HEAD` stands for now */
export async function resolveGit({ url, ref }: GitAddress, env: Environment): Promise<string> {
  if (/^[0-9a-f]{40}$/.test(ref)) return ref;
  const listed = await git(["ls-remote", "--exit-code", "--", url, ref], env);
  const commits = new Map(
    listed
      .split("\n")
      .map((line) => line.split("\t") as [string, string?])
      .map(([commit, name = ""]) => [name, commit]),
  );
  // `ls-remote main` also lists feature/main: git's own order of looking names up decides. An annotated tag's commit
  // has `^{}` behind its name.
  for (const name of [ref, `refs/${ref}`, `refs/tags/${ref}^{}`, `refs/tags/${ref}`, `refs/heads/${ref}`]) {
    const commit = commits.get(name);
    if (commit !== undefined && /^[0-9a-f]{40}$/.test(commit)) return commit;
  }
  throw new Error(`it has no ${ref}`);
}

/**
 * Checks a commit out, once.
 *
 * @returns the Compose file that the address means
 */
export async function checkoutGit(
  { url, path }: GitAddress,
  commit: string,
  cache: Cache,
  env: Environment,
): Promise<string> {
  const folder = await cache.folder(commit, async (fresh) => {
    await git(["init", "--quiet", fresh], env);
    await git(["-C", fresh, "fetch", "--quiet", "--depth=1", "--", url, commit], env);
    await git(["-C", fresh, "checkout", "--quiet", "FETCH_HEAD"], env);
  });
  return await composeFileIn(folder, path);
}

/** @throws {Error} where there is none, or the path leads out of the repository */
export async function composeFileIn(folder: string, path: string): Promise<string> {
  const root = await realpath(folder);
  const target = await realpath(join(root, path)).catch(() => undefined);
  if (target === undefined) throw new Error(`it has no ${path}`);
  if (target !== root && !target.startsWith(`${root}/`)) throw new Error(`${path} leads out of it`);
  if (!(await stat(target)).isDirectory()) return target;
  for (const name of FILES)
    if (await stat(join(target, name)).catch(() => undefined)) return join(target, name);
  throw new Error(`it has no Compose file in ${path || "its root"}`);
}

/** Asks nobody for a password: there may be nobody to answer. */
function git(args: readonly string[], env: Environment): Promise<string> {
  const quiet = {
    ...env,
    GIT_TERMINAL_PROMPT: env["GIT_TERMINAL_PROMPT"] ?? "0",
    ...(!env["GIT_SSH"] && {
      GIT_SSH_COMMAND: env["GIT_SSH_COMMAND"] ?? "ssh -o ControlMaster=no -o BatchMode=yes",
    }),
  };
  return new Promise((resolve, reject) => {
    execFile("git", args, { env: quiet, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else if ((error as NodeJS.ErrnoException).code === "ENOENT") reject(new Error("git is not installed"));
      else reject(new Error(stderr.trim().split("\n").at(-1) || error.message, { cause: error }));
    });
  });
}
