import { spawn } from "node:child_process";
import { once } from "node:events";
import type { CommandOptions } from "./command.ts";

/** A program that goes on while the test does. */
export interface Running {
  /** All that it wrote so far, stdout and stderr. */
  output(): string;
  /** Interrupts it, as Ctrl-C does, and gives its exit status. */
  stop(): Promise<number | null>;
}

export function startRunning(argv: readonly string[], options: CommandOptions = {}): Running {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: "pipe" });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = once(child, "exit");
  return {
    output: () => output,
    async stop() {
      child.kill("SIGINT");
      return (await ended)[0] as number | null;
    },
  };
}
