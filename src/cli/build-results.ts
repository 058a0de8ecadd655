/** What surrounds a build on the command line: standard input and output, files with the result, a shell after a failure. */
import { once } from "node:events";
import { createReadStream, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Readable, type Writable } from "node:stream";
import { isRemote } from "../build/check.ts";
import type { EngineClient } from "../client/client.ts";
import type { BuildContext, BuildPathResult } from "../verbs/objects/build.ts";
import type { BuildOutput } from "./build-options.ts";

/** A directory, a URL, or standard input, which is an archive or a Dockerfile. */
export async function openContext(path: string): Promise<BuildContext> {
  if (path !== "-")
    return isRemote(path) ? { kind: "remote", url: path } : { kind: "directory", path: resolve(path) };
  const chunks: Buffer[] = [];
  const iterator = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let size = 0;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    chunks.push(next.value);
    size += next.value.length;
    if (size >= HEAD) break;
  }
  const head = Buffer.concat(chunks);
  async function* all(): AsyncGenerator<Buffer> {
    yield head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  }
  if (isArchive(head)) return { kind: "tar", stream: Readable.from(all(), { objectMode: false }) };
  let dockerfile = "";
  for await (const chunk of all()) dockerfile += chunk.toString("utf8");
  return { kind: "text", dockerfile };
}

/** The first block of a tar. */
const HEAD = 512;
const MAGIC = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a],
];

function isArchive(head: Buffer): boolean {
  if (MAGIC.some((magic) => magic.every((byte, at) => head[at] === byte))) return true;
  return head.toString("latin1", 257, 262) === "ustar";
}

/**
 * A bare KEY is the environment's; where it has none, the argument is left out. SOURCE_DATE_EPOCH is taken from there
 * unasked, as tools for reproducible builds have it.
 */
export function readArguments(
  texts: readonly string[] = [],
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const pairs = ["SOURCE_DATE_EPOCH", ...texts].map((text): [string, string | undefined] => {
    const at = text.indexOf("=");
    return at < 0 ? [text, env[text]] : [text.slice(0, at), text.slice(at + 1)];
  });
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

export interface StagedOutputs {
  readonly list: readonly BuildOutput[];
  /** Where one of them is standard output: copies it there after the build. */
  readonly toStdout: ((stdout: Writable) => Promise<void>) | undefined;
}

/** The engine writes files; what is for standard output goes by a file of ours. */
export function stageOutputs(outputs: readonly BuildOutput[]): StagedOutputs {
  if (!outputs.some(({ dest }) => dest === "-")) return { list: outputs, toStdout: undefined };
  const path = join(tmpdir(), `slipway-${process.pid}-${Date.now()}.tar`);
  const list = outputs.map((output) => (output.dest === "-" ? { ...output, dest: path } : output));
  const toStdout = async (stdout: Writable): Promise<void> => {
    const { pipeline } = await import("node:stream/promises");
    await pipeline(createReadStream(path), stdout, { end: false }).finally(() =>
      rmSync(path, { force: true }),
    );
  };
  return { list, toStdout };
}

export async function writeResults(
  { id, digest = id }: BuildPathResult,
  tags: readonly string[],
  files: { readonly iidfile: string | undefined; readonly metadata: string | undefined },
): Promise<void> {
  if (files.iidfile !== undefined) writeFileSync(files.iidfile, id);
  if (files.metadata === undefined) return;
  const metadata = {
    "containerimage.config.digest": id,
    "containerimage.digest": digest,
    "image.name": tags.join(","),
  };
  writeFileSync(files.metadata, `${JSON.stringify(metadata, undefined, 2)}\n`);
}

/** Runs a shell in what a failed step left, and removes the image when it has ended. */
export async function openShell(
  error: unknown,
  engine: EngineClient,
  print: (line: string) => void,
): Promise<void> {
  const { failedImage } = await import("../verbs/objects/build.ts");
  const image = failedImage(error);
  if (image === undefined) return;
  if (!process.stdin.isTTY) {
    print(`What the step left is the image ${image}: slipway container run --rm -it ${image} sh`);
    return;
  }
  print("A shell in what the failed step left; exit ends it.");
  const program = [...process.execArgv, process.argv[1]!, "--host", engine.address];
  const words = ["container", "run", "--rm", "-it", image, "/bin/sh"];
  const { spawn } = await import("node:child_process");
  const shell = spawn(process.execPath, [...program, ...words], { stdio: "inherit" });
  await once(shell, "exit");
  await engine.removeImage(image, { force: true });
}
