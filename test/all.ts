/**
 * Everything that has to be green: `npm test`. Installs what the tests need from the machine's package sources,
 * builds, checks the sources, and runs every tier of tests. The last line is `N passed, N failed`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./helpers/command.ts";
import { leftovers } from "./helpers/leftovers.ts";
import { type Outcome, runTests } from "./run.ts";

const root = join(import.meta.dirname, "..");
process.chdir(root);
process.env["PATH"] = `${join(root, "node_modules/.bin")}:${process.env["PATH"]}`;

const total = { passed: 0, failed: 0 };

const before = new Set(leftovers());
installPackages();
command("build", "node", [".build/build.ts"]);
command("biome", "biome", ["check", "--error-on-warnings", "."]);
command("tsc", "tsc", ["--noEmit"]);
command("knip", "knip", []);
command("clang-format", "sh", [
  "-c",
  "clang-format --style=file:native/.clang-format --dry-run --Werror native/*.[ch] test/native/*.[ch]",
]);
command("native", "make", ["-s", "-C", "native", "test"]);
add(await runTests(["test/src", "test/engine"], 2));
for (const tier of ["test/contract", "test/scenarios"]) {
  if (existsSync(tier)) add(await runTests([tier], 1));
}
await nothingLeft();
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

function add(outcome: Outcome): void {
  total.passed += outcome.passed;
  total.failed += outcome.failed;
}

/** Network namespaces die a moment after the last process in them; nothing else may be there after the last test. */
async function nothingLeft(): Promise<void> {
  const found = (): string[] => leftovers().filter((line) => !before.has(line));
  await until("everything is gone", () => found().length === 0, 5000).catch(() => undefined);
  const left = found();
  add(left.length === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
  console.log(left.length === 0 ? "ok    nothing is left behind" : `FAIL  left behind:\n${left.join("\n")}`);
}

/** Installs from Debian's packages what test/packages.txt names and the machine lacks. */
function installPackages(): void {
  const wanted = readFileSync("test/packages.txt", "utf8")
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "");
  const missing = wanted.filter((name) => {
    const query = spawnSync("dpkg-query", ["-W", "-f=${db:Status-Abbrev}", name], { encoding: "utf8" });
    return !query.stdout.startsWith("ii");
  });
  if (missing.length === 0) return;
  console.log(`installing ${missing.join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  command("apt-get update", "apt-get", ["update", "-qq"], env);
  command("apt-get install", "apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], env);
}

/** A check by a program counts as one test. */
function command(name: string, program: string, args: readonly string[], env = process.env): void {
  const started = Date.now();
  const result = spawnSync(program, args, { encoding: "utf8", env, maxBuffer: 64 << 20 });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  if (result.status === 0) {
    total.passed += 1;
    console.log(`ok    ${name} (${seconds} s)`);
    return;
  }
  total.failed += 1;
  console.log(result.stdout ?? "", result.stderr ?? "", result.error ?? "");
  console.log(`FAIL  ${name} (${seconds} s): exit ${result.status ?? result.signal}`);
}
