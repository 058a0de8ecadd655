import type { EngineClient } from "../../src/client/client.ts";
import type { Report, ReportEvent } from "../../src/context.ts";

/** An engine that can do what a test gives it, and says so when it is asked for more. */
export function fakeEngine(calls: Partial<EngineClient>): EngineClient {
  return new Proxy(calls as EngineClient, {
    get(target, name: string) {
      if (name in target) return target[name as keyof EngineClient];
      throw new Error(`the test's engine has no ${name}()`);
    },
  });
}

/** Keeps what was reported, one line each: `web-1 done started (why)`. */
export function recorder(): Report & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    on: ({ id, phase, text, why }: ReportEvent) =>
      lines.push(`${id} ${phase} ${text}${why ? ` (${why})` : ""}`),
  };
}
