/**
 * Makes what runs: the native program by `make`, the schema validator as code, and one bundle with its V8 code
 * cache for each of the command line and the engine. `npm ci` calls it; nothing here reaches the network.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { Listr } from "listr2";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
mkdirSync(dist, { recursive: true });

const only = process.argv.slice(2);
const parts: Readonly<Record<string, { readonly title: string; readonly task: () => Promise<void> }>> = {
  native: {
    title: "compile the native program",
    task: () => run("make", ["-s", "-C", join(root, "native"), "all"]),
  },
  schema: {
    title: "compile the schema",
    task: () => run(process.execPath, [join(root, "schema", "compile.ts")]),
  },
  bundle: { title: "bundle the command line and the engine", task: bundle },
  model: { title: "bundle the model as a library", task: library },
};

await new Listr(
  Object.entries(parts)
    .filter(([name]) => only.length === 0 || only.includes(name))
    .map(([, part]) => part),
  { renderer: process.stdout.isTTY ? "default" : "simple" },
)
  .run()
  .catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });

async function bundle(): Promise<void> {
  const version = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string })
    .version;
  await build({
    entryPoints: {
      cli: join(root, "src/main.ts"),
      engine: join(root, "engine/main.ts"),
      runtime: join(root, "engine/oci/main.ts"),
    },
    outdir: dist,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    define: {
      "process.env.SLIPWAY_VERSION": JSON.stringify(version),
      "import.meta.dirname": "__dirname",
      "import.meta.url": "__importMetaUrl",
    },
    banner: { js: 'const __importMetaUrl = require("node:url").pathToFileURL(__filename).href;' },
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: "warning",
  });
  writeFileSync(join(dist, "package.json"), '{"type":"commonjs"}\n');
  writeFileSync(join(dist, "run.cjs"), readFileSync(join(root, ".build/run.cjs")));
  // The code cache is taken after warm-up runs, so that it holds what they compiled lazily: a no-op `up` takes
  // 80-90 ms with the second run's, 110-150 without.
  for (const [name, args] of [
    ["cli", ["version", "--short"]],
    ["cli", ["--file", join(root, "fixtures/shop/compose.yaml"), "config", "--quiet"]],
    ["engine", ["--version"]],
    ["runtime", ["--version"]],
  ] as const) {
    await run(process.execPath, [join(dist, "run.cjs"), name, ...args], { SLIPWAY_WRITE_CACHE: "1" });
  }
}

/** `import … from "slipway/model"`: the loader by itself, with its types. */
async function library(): Promise<void> {
  await build({
    entryPoints: { model: join(root, "src/model/library.ts") },
    outdir: dist,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    // What it bundles of older packages asks for modules of Node.
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: "warning",
  });
  const options = [
    "--target",
    "es2024",
    "--module",
    "nodenext",
    "--types",
    "node",
    "--strict",
    "--skipLibCheck",
  ];
  const declarations = ["--declaration", "--emitDeclarationOnly", "--allowImportingTsExtensions"];
  await run(process.execPath, [
    join(root, "node_modules/typescript/bin/tsc"),
    ...["--ignoreConfig", ...declarations, ...options, "--outDir", join(dist, "types")],
    join(root, "src/model/library.ts"),
  ]);
}

/** Runs a program to its end; what it says is shown only if it fails. */
async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit ${code ?? signal}\n${output}`);
}
