import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AppError } from "../../../src/errors.ts";
import { PLAN_DEFAULTS } from "../../../src/reconcile/options.ts";
import { down } from "../../../src/verbs/down.ts";
import { type UpOptions, up } from "../../../src/verbs/up.ts";
import { recorder } from "../engine.ts";
import { type Behaviour, memoryEngine } from "../memory.ts";

const verb = suite("verbs/up");

const OPTIONS: UpOptions = {
  ...PLAN_DEFAULTS,
  build: "missing",
  pull: undefined,
  dependencies: true,
  wait: true,
  waitTimeout: undefined,
};

const SHOP = `
services:
  web:
    image: busybox
    environment: { LOG: info }
    depends_on:
      db: { condition: service_healthy }
      migrate: { condition: service_completed_successfully }
  migrate:
    image: busybox
    depends_on: { db: { condition: service_healthy } }
  db:
    image: busybox
    healthcheck: { test: ["CMD", "true"] }
    volumes: ["data:/data"]
volumes: { data: {} }
`;

const WELL = { db: { health: "healthy" }, migrate: { exits: 0 } } as const;

class Bench {
  readonly directory = mkdtempSync(join(tmpdir(), "slipway-up-"));
  readonly memory: ReturnType<typeof memoryEngine>;
  readonly report = recorder();

  constructor(text: string, behaviours: Readonly<Record<string, Behaviour>>) {
    this.memory = memoryEngine(behaviours);
    this.write(text);
  }

  write(text: string): void {
    writeFileSync(join(this.directory, "compose.yaml"), `name: shop\n${text}`);
  }

  get context() {
    const signal = new AbortController().signal;
    return { engine: this.memory.engine, report: this.report, signal, insist: signal, env: {}, parallel: 1 };
  }

  get source() {
    return { env: {}, cwd: this.directory };
  }

  /** @returns what was called */
  async up(options: Partial<UpOptions> = {}): Promise<string[]> {
    this.memory.calls.length = 0;
    await up(this.source, { ...OPTIONS, ...options }, this.context);
    return this.memory.calls;
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

verb("it creates everything, and starts each service when what it needs is ready", async () => {
  using bench = new Bench(SHOP, WELL);
  const calls = await bench.up();
  assert.equal(calls.slice(0, 2), ["network shop_default", "volume shop_data"]);
  assert.equal(
    calls.filter((call) => call.startsWith("start")),
    ["start shop-db-1", "start shop-migrate-1", "start shop-web-1"],
  );
});

verb("a second time there is nothing to do, and it says so", async () => {
  using bench = new Bench(SHOP, WELL);
  await bench.up();
  assert.equal(await bench.up(), []);
  assert.ok(bench.report.lines.includes("shop note nothing to do, 3 unchanged"));
});

verb("a changed service alone is replaced, and the reason is told", async () => {
  using bench = new Bench(SHOP, WELL);
  await bench.up();
  bench.write(SHOP.replace("LOG: info", "LOG: debug"));
  assert.equal(await bench.up(), [
    "create …_shop-web-1",
    "stop shop-web-1",
    "remove shop-web-1",
    "rename to shop-web-1",
    "start shop-web-1",
  ]);
  assert.ok(bench.report.lines.includes("web note environment.LOG info → debug"));
});

verb("an unhealthy dependency keeps what needs it from starting, and is explained", async () => {
  using bench = new Bench(SHOP, { ...WELL, db: { health: "unhealthy" } });
  const error = await bench.up().catch((reason: unknown) => reason as AppError);
  assert.instance(error, AppError);
  assert.is((error as AppError).code, "SERVICE_UNHEALTHY");
  assert.match((error as AppError).at?.file ?? "", "compose.yaml");
  assert.not(bench.memory.calls.includes("start shop-web-1"));
});

verb("a job that fails is an error with its status", async () => {
  using bench = new Bench(SHOP, { ...WELL, migrate: { exits: 3 } });
  const error = (await bench.up().catch((reason: unknown) => reason)) as AppError;
  assert.is(error.code, "SERVICE_EXITED");
  assert.is(error.message, "migrate exited with 3");
});

verb("a wait that takes too long names who is not ready", async () => {
  using bench = new Bench("services: { db: { image: busybox, healthcheck: { test: [CMD, x] } } }", {
    db: { health: "starting" as never },
  });
  const error = (await bench.up({ waitTimeout: 0.05 }).catch((reason: unknown) => reason)) as AppError;
  assert.is(error.code, "WAIT_TIMEOUT");
  assert.match(error.message, "db: not ready after");
});

verb("named services come with what they need, or alone", async () => {
  using bench = new Bench(SHOP, WELL);
  assert.ok((await bench.up({ services: ["migrate"] })).includes("start shop-db-1"));
  using alone = new Bench(SHOP, WELL);
  const calls = await alone.up({ services: ["web"], dependencies: false });
  assert.equal(calls, ["network shop_default", "create shop-web-1", "start shop-web-1"]);
});

verb("down takes everything away but the data, and -v the data too", async () => {
  using bench = new Bench(SHOP, WELL);
  await bench.up();
  bench.memory.calls.length = 0;
  const options = {
    services: [],
    volumes: false,
    images: undefined,
    removeOrphans: false,
    timeout: undefined,
  };
  await down(bench.source, options, bench.context);
  assert.equal(
    bench.memory.calls.filter((call) => !call.startsWith("stop")).at(-1),
    "remove network shop_default",
  );
  await down(bench.source, { ...options, volumes: true }, bench.context);
  assert.equal(bench.memory.calls.at(-1), "remove volume shop_data");
});

verb.run();
