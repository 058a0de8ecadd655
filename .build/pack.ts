/** Bundles a program as parts, and packs them with their V8 code caches for load.cjs. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build, transform } from "esbuild";

export interface Program {
  readonly name: string;
  readonly entry: string;
  readonly version: string;
  /** Runs that show what is commonly compiled, one after the other. */
  readonly warm: readonly ((loader: string, env: Readonly<Record<string, string>>) => Promise<void>)[];
}

/**
 * Writes `NAME.cjs`, which starts the program, and `NAME.pack` with all it needs. What is imported lazily lies in parts
 * of its own: a start reads its own parts alone, 50 kB instead of 1.4 MB.
 */
export async function packProgram(dist: string, { name, entry, version, warm }: Program): Promise<void> {
  const parts = await bundle(entry, version);
  const loader = join(dist, `${name}.cjs`);
  const pack = join(dist, `${name}.pack`);
  const caches = mkdtempSync(join(tmpdir(), "slipway-caches-"));
  try {
    replace(pack, packed(parts, caches));
    replace(loader, readFileSync(join(import.meta.dirname, "load.cjs")));
    for (const run of warm) {
      await run(loader, { SLIPWAY_WRITE_CACHE: caches });
      replace(pack, packed(parts, caches));
    }
  } finally {
    rmSync(caches, { recursive: true });
  }
}

/** @returns sources by name, each a function of what a CommonJS module is given; ASCII */
async function bundle(entry: string, version: string): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    entryPoints: { main: entry },
    outdir: "/",
    write: false,
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node24",
    format: "esm",
    chunkNames: "[name]-[hash]",
    define: {
      "process.env.SLIPWAY_VERSION": JSON.stringify(version),
      "import.meta.dirname": "__dirname",
      "import.meta.filename": "__filename",
    },
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: "warning",
  });
  // esbuild splits modules of ES form alone.
  const parts = outputFiles.map(async ({ path, text }): Promise<[string, string]> => {
    const { code } = await transform(text, {
      format: "cjs",
      platform: "node",
      target: "node24",
      supported: { "dynamic-import": false },
      minifySyntax: true,
      minifyWhitespace: true,
    });
    const parameters = "exports, require, module, __filename, __dirname, late";
    return [basename(path), `(function (${parameters}) {${code.replaceAll(HEAVY, '$1late("$2")')}\n})`];
  });
  return new Map(await Promise.all(parts));
}

/**
 * Imports of names from modules of Node that take some milliseconds to load, and that most commands only might need.
 * esbuild asks the module for the name at each use.
 */
const HEAVY =
  /(\bimport_\w+=)require\("(node:(?:child_process|crypto|fs\/promises|http|readline|stream\/promises|zlib))"\)/g;

/** @param caches directory with the code cache of each part, by its name; empty before the first run */
function packed(parts: ReadonlyMap<string, string>, caches: string): Buffer {
  const blobs = [...parts].map(
    ([name, source]) => [name, Buffer.from(source, "latin1"), readCache(join(caches, name))] as const,
  );
  const indexOf = (start: number): string => {
    let at = start;
    const entries = blobs.map(([name, source, cache]) => {
      const entry = [name, [at, source.length, cache.length]] as const;
      at += source.length + cache.length;
      return entry;
    });
    return JSON.stringify(Object.fromEntries(entries));
  };
  // Padded, because the offsets in it hang on its own length.
  const length = indexOf(1e9).length;
  const index = indexOf(HEAD + length).padEnd(length);
  const head = String(length).padStart(HEAD);
  return Buffer.concat([
    Buffer.from(head + index, "latin1"),
    ...blobs.flatMap(([, source, cache]) => [source, cache]),
  ]);
}

/** As in load.cjs. */
const HEAD = 16;

function readCache(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

/** Never leaves half of a file to who starts the program now. */
function replace(path: string, content: Buffer): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}
