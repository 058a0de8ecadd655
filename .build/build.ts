/**
 * Makes what runs: the native program by `make`, the schema validator as code, and a pack of parts with their
 * V8 code caches for each of the command line, the engine and the OCI runtime. `npm ci` calls it; nothing here reaches the network.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { Listr } from "listr2";
import { packProgram } from "./pack.ts";
import { emptyEngine } from "./warm.ts";

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
  bundle: { title: "pack the command line and the engine", task: bundle },
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
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  writeFileSync(join(dist, "package.json"), '{"type":"commonjs"}\n');
  using engine = await emptyEngine();
  const warm = (...args: string[]) => {
    return (loader: string, env: Readonly<Record<string, string>>) =>
      run(process.execPath, [loader, ...args], { ...env, SLIPWAY_HOST: engine.host });
  };
  // What runs compiled lazily is in the code cache too: a no-op `up` takes 80-90 ms with it, 110-150 without.
  const shop = join(root, "fixtures/shop");
  const project = ["--file", join(shop, "compose.yaml")];
  const programs = {
    cli: {
      entry: "src/main.ts",
      warm: [
        warm("--help"),
        warm("version"),
        warm(...project, "config", "--quiet"),
        warm(...project, "plan"),
        warm(...project, "ps"),
        warm("image", "build", "--quiet", "--tag", "web", join(shop, "web")),
      ],
    },
    engine: { entry: "engine/main.ts", warm: [warm("--version")] },
    runtime: { entry: "engine/oci/main.ts", warm: [warm("--version")] },
  };
  for (const [name, { entry, warm }] of Object.entries(programs))
    await packProgram(dist, { name, entry: join(root, entry), version, warm });
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
