import { readFile } from "node:fs/promises";
import type { Context } from "../../context.ts";
import { AppError } from "../../errors.ts";

export interface RegistryOptions {
  readonly listen: string; // "127.0.0.1:5000", "[::]:5000"
  readonly readonly: boolean;
  /** Paths of files. */
  readonly htpasswd: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/**
 * Serves the engine's image store as a registry until the context's signal.
 *
 * @param print is given what it listens on, then a line for each request
 * @throws {AppError} ENGINE_TOO_OLD, USAGE, ENGINE_FAILED for a port that is taken
 */
export async function serveRegistry(
  options: RegistryOptions,
  { engine, signal }: Context,
  print: (line: string) => void,
): Promise<void> {
  if (!(await engine.slipwayFeatures()).has("registry")) {
    throw new AppError("ENGINE_TOO_OLD", `the engine at ${engine.address} cannot serve its images`, {
      hint: "Use slipway's own engine: leave DOCKER_HOST unset.",
    });
  }
  const [, host = "", port = ""] = /^\[?([^\]]*)\]?:(\d+)$/.exec(options.listen) ?? [];
  if (port === "") {
    throw new AppError("USAGE", `${options.listen} is not an address with a port`, {
      hint: "Write it as 127.0.0.1:5000.",
    });
  }
  const [htpasswd, cert, key] = await Promise.all([options.htpasswd, options.cert, options.key].map(text));
  await engine.serveRegistry({
    host: host === "" ? "0.0.0.0" : host,
    port: Number(port),
    readonly: options.readonly,
    signal,
    ...(htpasswd !== undefined && { htpasswd }),
    ...(cert !== undefined && key !== undefined && { tls: { cert, key } }),
    onProgress: ({ status = "" }) => print(status),
  });
}

async function text(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new AppError("USAGE", `${path} cannot be read`, { cause });
  }
}
