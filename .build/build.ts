/**
 * Makes what runs: the native program by `make`, the schema validator as code, and one bundle with its V8 code
 * cache for each of the command line and the engine. `npm ci` calls it; nothing here reaches the network.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
mkdirSync(dist, { recursive: true });

const only = new Set(process.argv.slice(2));
const wants = (part: string): boolean => only.size === 0 || only.has(part);

if (wants("native")) run("make", ["-s", "-C", join(root, "native"), "all"]);
if (wants("schema")) run(process.execPath, [join(root, "schema", "compile.ts")]);
if (wants("bundle")) await bundle();
if (wants("model")) await library();

async function bundle(): Promise<void> {
  const version = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string })
    .version;
  await build({
    entryPoints: { cli: join(root, "src/main.ts"), engine: join(root, "engine/main.ts") },
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
  // The code cache is taken after a warm-up run, so that it holds what that run compiled lazily.
  for (const [name, args] of [
    ["cli", ["version", "--short"]],
    ["engine", ["--version"]],
  ] as const) {
    run(process.execPath, [join(dist, "run.cjs"), name, ...args], { SLIPWAY_WRITE_CACHE: "1" });
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
  run(process.execPath, [
    join(root, "node_modules/typescript/bin/tsc"),
    ...["--ignoreConfig", ...declarations, ...options, "--outDir", join(dist, "types")],
    join(root, "src/model/library.ts"),
  ]);
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const result = spawnSync(command, args, {
    stdio: ["ignore", env["SLIPWAY_WRITE_CACHE"] ? "ignore" : "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    console.error(`${command} ${args.join(" ")}: exit ${result.status ?? result.signal}`);
    process.exit(1);
  }
  if (!existsSync(dist)) throw new Error("dist is gone");
}
