/** What ADD takes from elsewhere: files over HTTP and git repositories. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { promisify } from "node:util";
import { EngineError, messageOf } from "../errors.ts";
import { LayerTree } from "./context/layer-tree.ts";
import type { Found, SourceTree } from "./context/tree.ts";
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
  /**
   * Fetches a file: mode 0600, the time that the server says.
   *
   * @throws {EngineError} unavailable for another status than 200, invalid for another checksum
   */
  async download(item: Extract<CopyItem, { kind: "url" }>, tools: RemoteTools): Promise<Remote> {
    const directory = await tools.scratch();
    const path = join(directory, "file");
    const response = await fetch(item.url, { signal: tools.signal, redirect: "follow" }).catch(
      (cause: unknown) => {
        throw new EngineError("unavailable", `${item.url} cannot be fetched: ${reasonOf(cause)}`, { cause });
      },
    );
    if (!response.ok) {
      throw new EngineError("unavailable", `invalid response status ${response.status} for ${item.url}`);
    }
    const [algorithm = "sha256", wanted] = item.checksum?.split(":") ?? [];
    const hash = createHash(algorithm);
    const body = Readable.fromWeb((response.body ?? new ReadableStreamEmpty()) as ReadableStream<Uint8Array>);
    body.on("data", (chunk: Uint8Array) => hash.update(chunk));
    await pipeline(body, createWriteStream(path, { mode: 0o600 }));
    const got = hash.digest("hex");
    if (wanted !== undefined && got !== wanted) {
      throw new EngineError(
        "invalid",
        `digest mismatch ${algorithm}:${got}: ${item.checksum} is expected of ${item.url}`,
      );
    }
    await chmod(path, 0o600);
    const modified = Date.parse(response.headers.get("last-modified") ?? "");
    // Without a time of its own a file would be another one in every build.
    const seconds = Number.isNaN(modified) ? 0 : modified / 1000;
    await utimes(path, seconds, seconds);
    const tree = new LayerTree({ kind: "dir", path: directory }, tools.workers);
    return { tree, found: { path: "file", name: item.name, type: "file" } };
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

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause ?? error);
}

class ReadableStreamEmpty extends globalThis.ReadableStream<Uint8Array> {
  constructor() {
    super({ start: (controller) => controller.close() });
  }
}
