import { spawn } from "node:child_process";
import { constants } from "node:os";

export interface CommandOptions {
  readonly cwd?: string;
  /** Instead of the test's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Buffer;
  /** Default 60 s; then it is killed, and its status is 137. */
  readonly limitMs?: number;
  readonly signal?: AbortSignal;
}

export interface CommandResult {
  /** The exit status; 128 and the signal's number where a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const SIGNALS = constants.signals;

/** Runs a program to its end. A status other than 0 is a result like any other. */
export function run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program = "", ...args] = argv;
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: "pipe",
    timeout: options.limitMs ?? 60_000,
    killSignal: "SIGKILL",
    signal: options.signal,
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  child.stdin.on("error", () => {}); // it did not read to the end
  child.stdin.end(options.input);
  child.once("error", (error) => {
    if (error.name !== "AbortError") reject(error);
  });
  child.once("close", (code, signal) => {
    resolve({ status: code ?? 128 + (signal === null ? 0 : SIGNALS[signal]), ...output });
  });
  return promise;
}

/** Runs a program that has to succeed. Returns what it wrote to stdout. */
export async function must(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await run(argv, options);
  if (status !== 0) throw new Error(`${argv.join(" ")}: exit ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** Waits until `holds` says so. The message names `what` did not happen. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
