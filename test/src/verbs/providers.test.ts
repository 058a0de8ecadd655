/** Services that a program stands for: what it is told, what it may say, and who learns of it. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AppError } from "../../../src/errors.ts";
import { buildGraph } from "../../../src/graph/graph.ts";
import { assumeProvided, provide, withdraw } from "../../../src/verbs/providers.ts";
import { fakeEngine, recorder } from "../engine.ts";
import { needs, project } from "../project.ts";

const providers = suite("verbs/providers");

/** A shop whose db is the program `cloud`, a script; what it was called with is in `calls`. */
class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), "slipway-provider-"));
  readonly report = recorder();

  constructor(script: string) {
    const path = join(this.folder, "cloud");
    writeFileSync(path, `#!/bin/sh\necho "$*" >>${this.folder}/calls\n${script}\n`);
    chmodSync(path, 0o755);
  }

  get context() {
    const { signal } = new AbortController();
    const engine = fakeEngine({ address: "unix:///test" });
    return { engine, report: this.report, signal, insist: signal, env: {}, parallel: 1 };
  }

  get calls(): string[] {
    return readFileSync(join(this.folder, "calls"), "utf8").trim().split("\n");
  }

  graph(environment: Record<string, string> = {}) {
    const db = { provider: { type: "cloud", options: { size: ["1", "2"], old: ["x"] } } };
    const shop = { db, web: { depends_on: needs({ db: "service_started" }), environment }, other: {} };
    return buildGraph(project(shop, { environment: { PATH: `${this.folder}:${process.env["PATH"]}` } }));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

const SAYS = `[ "$2" = metadata ] && exit 1
echo '{"type":"info","message":"making it"}'
echo '{"type":"setenv","message":"URL=db://x?a=b"}'
echo '{"type":"rawsetenv","message":"TOKEN=t"}'`;

providers("what depends on it gets what the provider sets, and nobody else", async () => {
  using bench = new Bench(SAYS);
  const { project: shop, services } = await provide(bench.graph({ TOKEN: "mine" }), bench.context);
  assert.equal(services, ["web", "other"]);
  assert.equal(shop.services["web"]!.environment, { TOKEN: "t", DB_URL: "db://x?a=b" });
  assert.is(shop.services["other"]!.environment, undefined);
  assert.equal(bench.calls, [
    "compose metadata",
    "compose --project-name=shop up --size=1 --size=2 --old=x db",
  ]);
  assert.equal(bench.report.lines, [
    "db working provider working",
    "db working making it",
    "db done provided",
    "web warn db sets TOKEN, over what the file says",
  ]);
});

providers("one that tells what it takes gets nothing else, and is told to stop only if it can", async () => {
  using bench = new Bench(
    `[ "$2" = metadata ] && echo '{"description":"d","up":{"parameters":[{"name":"size","required":true}]}}'; exit 0`,
  );
  await provide(bench.graph(), bench.context);
  await withdraw(bench.graph(), [], "stop", bench.context);
  await withdraw(bench.graph(), [], "down", bench.context);
  assert.equal(
    bench.calls.filter((call) => call !== "compose metadata"),
    ["compose --project-name=shop up --size=1 --size=2 db", "compose --project-name=shop down db"],
  );
});

providers("it may ask for its service", async () => {
  using bench = new Bench(`[ "$2" = metadata ] && exit 1
echo '{"type":"get-service-config"}'; read line; echo "$line" >${"$"}{0%/*}/told`);
  await provide(bench.graph(), bench.context);
  const told = JSON.parse(readFileSync(join(bench.folder, "told"), "utf8")) as { provider: { type: string } };
  assert.is(told.provider.type, "cloud");
});

for (const [what, script, message] of [
  ["says why", `echo '{"type":"error","message":"no money"}'; exec sleep 60`, "db: no money"],
  ["ends badly", "echo broken >&2; exit 3", "db: broken"],
  ["speaks otherwise", "echo hello", "db: its provider said what is no JSON: hello"],
] as const) {
  providers(`one that ${what} fails`, async () => {
    using bench = new Bench(`[ "$2" = metadata ] && exit 1\n${script}`);
    const error = await provide(bench.graph(), bench.context).catch((error: unknown) => error);
    assert.instance(error, AppError);
    assert.is(`${(error as AppError).code} ${(error as AppError).message}`, `PROVIDER_FAILED ${message}`);
  });
}

providers("a plan runs no program, and takes what was set for what will be", () => {
  using bench = new Bench("");
  const definition = { environment: { DB_URL: "old", LOG: "x" } };
  const { project: shop } = assumeProvided(bench.graph(), [{ service: "web", definition } as never]);
  assert.equal(shop.services["web"]!.environment, { DB_URL: "old" });
});

providers.run();
