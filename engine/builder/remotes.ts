/** What ADD takes from elsewhere: files over HTTP and git repositories. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { EngineError, messageOf } from "../errors.ts";
import type { DirectoryTree } from "../native/trees.ts";
import { LayerTree } from "./context/layer-tree.ts";
import type { Found, SourceTree } from "./context/tree.ts";
import type { Downloads } from "./downloads.ts";
import type { CopyItem } from "./plan/types.ts";
import type { StepTools } from "./steps/types.ts";

export interface Remote {
  readonly tree: SourceTree;
  readonly found: Found;
}

/** What fetching needs of a build. */
export type RemoteTools = Pick<StepTools, "workers" | "signal" | "scratch">;

const run = promisify(execFile);

export class Remotes {
  readonly #downloads: Downloads;

  constructor(downloads: Downloads) {
    this.#downloads = downloads;
  }

  /** @throws {EngineError} unavailable where it cannot be had, invalid for another checksum */
  async download(item: Extract<CopyItem, { kind: "url" }>, tools: RemoteTools): Promise<Remote> {
    const { directory } = this.#downloads;
    const path = await this.#downloads.fetch(item.url, tools.signal);
    if (item.checksum !== undefined) {
      const [algorithm = "", wanted] = item.checksum.split(":");
      const hash = createHash(algorithm);
      await pipeline(createReadStream(join(directory, path)), hash);
      const got = hash.digest("hex");
      if (got !== wanted) {
        throw new EngineError(
          "invalid",
          `digest mismatch ${algorithm}:${got}: ${item.checksum} is expected of ${item.url}`,
        );
      }
    }
    const tree = new DownloadTree({ kind: "dir", path: directory }, tools.workers);
    return { tree, found: { path, name: item.name, type: "file" } };
  }

  /** Fetches one commit of a repository, without its history. */
  async clone(item: Extract<CopyItem, { kind: "git" }>, tools: RemoteTools): Promise<Remote> {
    const directory = await tools.scratch();
    const git = async (...words: string[]): Promise<string> => {
      try {
        const { stdout } = await run("git", ["-C", directory, ...words], {
          env: GIT_ENVIRONMENT,
          signal: tools.signal,
        });
        return stdout.trim();
      } catch (cause) {
        const { stderr = "" } = cause as { stderr?: string };
        const why = stderr.trim().split("\n").at(-1) || messageOf(cause);
        throw new EngineError("unavailable", `${item.remote}: git ${words[0]}: ${why}`, { cause });
      }
    };
    // A reference is never an option, whatever it begins with.
    if (item.ref.startsWith("-") || item.remote.startsWith("-")) {
      throw new EngineError("invalid", `${item.ref || item.remote} is no git reference`);
    }
    await git("init", "--quiet");
    const wanted = item.ref || (item.checksum?.length === 40 ? item.checksum : "HEAD");
    await git("fetch", "--quiet", "--depth=1", "--no-tags", "--", item.remote, wanted);
    const commit = await git("rev-parse", "FETCH_HEAD^{commit}");
    if (item.checksum !== undefined && !commit.startsWith(item.checksum.toLowerCase())) {
      throw new EngineError("invalid", `expected checksum to match ${item.checksum}, got ${commit}`);
    }
    await git("-c", "advice.detachedHead=false", "checkout", "--quiet", "--force", commit);
    if (item.submodules) await git("submodule", "update", "--quiet", "--init", "--recursive", "--depth=1");
    if (!item.keepGitDirectory) await rm(join(directory, ".git"), { recursive: true, force: true });
    const tree = new LayerTree({ kind: "dir", path: directory }, tools.workers);
    const found = await tree.find(`/${item.subdirectory}`);
    if (found?.type !== "dir") {
      throw new EngineError(
        "invalid",
        `${item.remote}: ${item.subdirectory} is no directory of commit ${commit}`,
      );
    }
    return { tree, found };
  }
}

/** Our own files, which may be large: they are read as they lie. */
class DownloadTree extends LayerTree {
  override async read(path: string): Promise<Readable> {
    return createReadStream(join((this.root as DirectoryTree).path, path), { highWaterMark: 1 << 20 });
  }
}

/** Asks nobody for passwords, reads no configuration of the machine, runs no program that a URL names. */
const GIT_ENVIRONMENT: NodeJS.ProcessEnv = {
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  HOME: "/nonexistent",
  GIT_TERMINAL_PROMPT: "0",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_ALLOW_PROTOCOL: "http:https:git:ssh",
  GIT_SSH_COMMAND: "ssh -o BatchMode=yes",
  LC_ALL: "C",
};
