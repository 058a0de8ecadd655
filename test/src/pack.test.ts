import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { packProgram } from "../../.build/pack.ts";
import { must, until } from "../helpers/command.ts";
import { startRunning } from "../helpers/running.ts";

const pack = suite("pack");
let directory: string;

pack.before.each(() => {
  directory = mkdtempSync(join(tmpdir(), "slipway-pack-"));
  mkdirSync(join(directory, "src"));
  // What both import lies in a part of its own.
  write("shared.ts", `export const shared = { count: 0, where: import.meta.dirname };`);
  write(
    "late.ts",
    `import { shared } from "./shared.ts";\nexport const late = () => "zwölf " + ++shared.count;`,
  );
});

pack.after.each(() => rmSync(directory, { recursive: true }));

pack("parts come when they are asked for, each once, with the program's place and version", async () => {
  write(
    "main.ts",
    `import { shared } from "./shared.ts";
     void Promise.all([import("./late.ts"), import("./late.ts")]).then(([a, b]) =>
       console.log(a.late(), b.late(), shared.count, shared.where, process.env["SLIPWAY_VERSION"], process.argv[1]));`,
  );
  await packMain();
  const text = await must([process.execPath, join(directory, "demo.cjs")]);
  assert.is(text, `zwölf 1 zwölf 2 2 ${directory} 1.2.3 ${join(directory, "demo.cjs")}\n`);
});

pack("what is heavy of Node is loaded when it is used", async () => {
  write(
    "main.ts",
    `import { execFileSync } from "node:child_process";
     import { readFile } from "node:fs/promises";
     const loaded = () => process.moduleLoadList.includes("NativeModule child_process");
     const before = loaded();
     const text = execFileSync("echo", ["hello"], { encoding: "utf8" }).trim();
     void readFile("/proc/self/comm").then(async () => {
       const { spawnSync } = await import("node:child_process");
       console.log(before, text, loaded(), spawnSync("true").status);
     });`,
  );
  await packMain();
  assert.is(await must([process.execPath, join(directory, "demo.cjs")]), "false hello true 0\n");
});

pack("a new pack in its place does not disturb what runs", async () => {
  write(
    "main.ts",
    `import { existsSync } from "node:fs";
     console.log("ready");
     const timer = setInterval(() => {
       if (!existsSync(import.meta.dirname + "/go")) return;
       clearInterval(timer);
       void import("./late.ts").then(({ late }) => console.log(late()));
     }, 5);`,
  );
  await packMain(false);
  const running = startRunning([process.execPath, join(directory, "demo.cjs")]);
  await until("it runs", () => running.output().includes("ready"));
  write("main.ts", "console.log('another program')");
  await packMain();
  assert.is(await must([process.execPath, join(directory, "demo.cjs")]), "another program\n");
  writeFileSync(join(directory, "go"), "");
  await until("its late part", () => running.output().includes("zwölf 1"));
  await running.stop();
});

pack("the same sources make the same parts, and their code caches are taken", async () => {
  write("main.ts", `void import("./late.ts").then(({ late }) => console.log(late()));`);
  await packMain();
  const first = sourcesOf(join(directory, "demo.pack"));
  await packMain();
  assert.equal(sourcesOf(join(directory, "demo.pack")), first);
  // The loader with each script's verdict printed.
  const loader = readFileSync(join(directory, "demo.cjs"), "utf8").replace(
    "const module = {",
    "console.log(script.cachedDataRejected); const module = {",
  );
  writeFileSync(join(directory, "demo.cjs"), loader);
  const text = await must([process.execPath, join(directory, "demo.cjs")]);
  assert.is(text, "false\nfalse\nzwölf 1\n");
});

function write(name: string, text: string): void {
  writeFileSync(join(directory, "src", name), `${text}\n`);
}

/** @param warmed whether the program ends by itself */
async function packMain(warmed = true): Promise<void> {
  const warm = async (loader: string, env: Readonly<Record<string, string>>): Promise<void> => {
    await must([process.execPath, loader], { env: { ...process.env, ...env } });
  };
  const entry = join(directory, "src/main.ts");
  await packProgram(directory, { name: "demo", entry, version: "1.2.3", warm: warmed ? [warm] : [] });
}

/** Part → its source. */
function sourcesOf(path: string): Record<string, string> {
  const bytes = readFileSync(path);
  const length = Number(bytes.toString("latin1", 0, 16));
  const index = JSON.parse(bytes.toString("latin1", 16, 16 + length)) as Record<string, [number, number]>;
  return Object.fromEntries(
    Object.entries(index).map(([name, [at, size]]) => [name, bytes.toString("latin1", at, at + size)]),
  );
}

pack.run();
