/**
 * Runs the tests of the given folders or files, each file in a process of its own, and closes with the line
 * `N passed, N failed`. uvu alone calls an empty run, a suite that is never run and a forgotten `.only` a
 * success, and waits for ever on a lost promise; here each of them fails.
 *
 *   node test/run.ts [--jobs N] PATH...
 */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const LIMIT_MS = Number(process.env["TEST_LIMIT_MS"] ?? 300_000);

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

/** Runs every `*.test.ts` below `paths`, `jobs` files at a time. A file that breaks a rule counts as one failure. */
export async function runTests(paths: readonly string[], jobs: number): Promise<Outcome> {
  const files = paths.flatMap(testFiles);
  const total = { passed: 0, failed: 0 };
  if (files.length === 0) {
    console.error(`no test files below ${paths.join(", ")}`);
    return { passed: 0, failed: 1 };
  }
  const queue = [...files];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const { passed, failed } = await runFile(file);
      total.passed += passed;
      total.failed += failed;
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return total;
}

function testFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .sort()
    .map((name) => join(path, name));
}

async function runFile(file: string): Promise<Outcome> {
  const text = readFileSync(file, "utf8");
  const made = (text.match(/\bsuite(<[^>]*>)?\(/g) ?? []).length;
  const run = (text.match(/\.run\(\)/g) ?? []).length;
  const started = Date.now();
  const { code, output } = await execute(file);
  const count = (label: string): number =>
    Number(new RegExp(`^ {2}${label}: +(\\d+)`, "m").exec(output)?.[1] ?? 0);
  const [total, passed, skipped] = [count("Total"), count("Passed"), count("Skipped")];
  const faults: string[] = [];
  if (made !== run) faults.push("a suite is made but never run()");
  if (total === 0) faults.push("no test ran to its end");
  if (skipped > 0) faults.push(`${skipped} skipped by .only or .skip`);
  if (code !== 0 && passed === total) faults.push(`ended with ${code}`);
  const failed = total - passed + (faults.length > 0 ? 1 : 0);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  if (failed === 0) {
    console.log(`ok    ${file} (${passed}, ${seconds} s)`);
  } else {
    console.log(output);
    console.log(`FAIL  ${file} (${passed} of ${total}, ${seconds} s) ${faults.join("; ")}`);
  }
  return { passed, failed };
}

/** The tests' process leads a group of its own, so that a test that hangs can be ended with what it started. */
function execute(file: string): Promise<{ code: number | string; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file], {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        output += chunk;
      });
    }
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, LIMIT_MS);
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      const done = (): void =>
        resolve({ code: late ? `a limit of ${LIMIT_MS} ms` : (code ?? signal ?? 1), output });
      // What it wrote last may still be on its way; what it left running may hold the pipes for ever.
      const grace = setTimeout(done, 1000);
      child.once("close", () => {
        clearTimeout(grace);
        done();
      });
    });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const args = process.argv.slice(2);
  const jobs = args[0] === "--jobs" ? Number(args.splice(0, 2)[1]) : 1;
  const { passed, failed } = await runTests(args.length > 0 ? args : ["test/src"], jobs);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
