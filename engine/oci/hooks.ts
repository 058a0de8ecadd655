import { spawn } from "node:child_process";
import { once } from "node:events";
import { EngineError } from "../errors.ts";
import type { OciHook } from "./config.ts";
import type { OciState } from "./state.ts";

/**
 * Runs hooks one after the other, each with the state on its stdin.
 *
 * @throws {EngineError} system, if one fails or takes longer than it may
 */
export async function runHooks(hooks: readonly OciHook[] | undefined, state: OciState): Promise<void> {
  for (const hook of hooks ?? []) {
    const [name = hook.path, ...args] = hook.args ?? [];
    const child = spawn(hook.path, args, {
      argv0: name,
      // An environment of its own: nothing of the caller's, and nothing of the image's, may reach it.
      env: Object.fromEntries(
        (hook.env ?? []).map((pair) => [pair.split("=")[0], pair.slice(pair.indexOf("=") + 1)]),
      ),
      stdio: ["pipe", "ignore", "pipe"],
      ...(hook.timeout === undefined ? {} : { timeout: hook.timeout * 1000, killSignal: "SIGKILL" as const }),
    });
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.stdin?.on("error", () => {}); // it need not read its state
    child.stdin?.end(JSON.stringify(state));
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    if (code !== 0)
      throw new EngineError("system", `hook ${hook.path} ended with ${signal ?? code}: ${stderr.trim()}`);
  }
}
