/** The project that `npm start` runs, from its base image to its removal, in one sandbox with a way out for apt. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CommandResult } from "../helpers/command.ts";
import { until } from "../helpers/command.ts";
import { Sandbox } from "../helpers/sandbox.ts";
import { openUplink, type Uplink } from "../helpers/uplink.ts";

const MINUTES = 60_000;

const shop = suite("scenario: the shop");
let sandbox: Sandbox;
let uplink: Uplink;
let cwd: string;

shop.before(async () => {
  try {
    sandbox = await Sandbox.open({ busybox: false });
    uplink = await openUplink(sandbox.netns);
  } catch (error) {
    console.error(error); // uvu says nothing of a failed hook
    throw error;
  }
  cwd = join(sandbox.directory, "shop");
  cpSync(join(import.meta.dirname, "../../fixtures/shop"), cwd, { recursive: true });
});

shop.after(async () => {
  uplink?.[Symbol.dispose]();
  await sandbox?.close();
});

const slipway = async (...args: string[]): Promise<CommandResult> => {
  const result = await sandbox.slipway(args, { cwd, limitMs: 4 * MINUTES });
  assert.is(result.status, 0, `slipway ${args.join(" ")}\n${result.stdout}${result.stderr}`);
  return result;
};

const page = async (path = "/"): Promise<string> => {
  const url = `http://127.0.0.1:8088${path}`;
  const script = `fetch(${JSON.stringify(url)}).then(async (r) => process.stdout.write(await r.text()))`;
  return (await sandbox.inside([process.execPath, "-e", script], { limitMs: MINUTES })).stdout;
};

const containers = async (): Promise<Record<string, string>> => {
  const { stdout } = await slipway("ps", "-a", "--format", "json");
  const lines = stdout
    .trim()
    .split("\n")
    .flatMap((line) => JSON.parse(line) as { Service: string; ID: string }[]);
  return Object.fromEntries(lines.map(({ Service, ID }) => [Service, ID]));
};

shop("a base image comes from Debian's packages, once", async () => {
  await slipway("image", "bootstrap", "debian:bookworm-slim");
  const { stdout, stderr } = await slipway("image", "bootstrap", "debian:bookworm-slim");
  assert.match(stdout + stderr, /already|up to date|present/i);
  const [image] = JSON.parse((await sandbox.docker(["image", "inspect", "debian:bookworm-slim"])).stdout);
  assert.match(JSON.stringify(image.Config.Labels), /base-files/);
});

shop("up --wait builds, orders and starts everything; the page counts visits", async () => {
  await slipway("up", "--wait");
  assert.match(await page(), /<li>bread<\/li>.*visits: 1</s);
  assert.match(await page(), /visits: 2</);
  const states = (await slipway("ps", "-a")).stdout;
  assert.match(states, /migrate.*exited \(0\)/i);
  assert.match(states, /web.*healthy/i);
});

shop("a second up changes nothing and says so", async () => {
  const before = await containers();
  const { stderr } = await slipway("up", "-d");
  assert.match(stderr, /up to date|nothing to (do|change)|unchanged/i);
  assert.equal(await containers(), before);
});

shop("the front cannot reach the store, the api can", async () => {
  const connect = (service: string): Promise<CommandResult> => {
    const script = `require("net").connect(6379,"db").on("connect",()=>process.exit(0)).on("error",()=>process.exit(7)).setTimeout(2000,()=>process.exit(8))`;
    return sandbox.slipway(["exec", "-T", service, "node", "-e", script], { cwd });
  };
  assert.is((await connect("api")).status, 0);
  assert.is((await connect("web")).status, 7);
});

shop("a changed service alone is recreated, and the reason is printed", async () => {
  const before = await containers();
  const file = join(cwd, "compose.yaml");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace("SHOP_NAME: ${SHOP_NAME}", "SHOP_NAME: The other shop"));
  const { stderr } = await slipway("up", "-d", "--wait");
  assert.match(stderr, /web.*environment\.SHOP_NAME.*The corner shop → The other shop/);
  const after = await containers();
  assert.is.not(after["web"], before["web"]);
  assert.is(after["api"], before["api"]);
  assert.is(after["db"], before["db"]);
  assert.match(await page(), /The other shop/);
});

shop("a killed daemon takes nothing along", async () => {
  const before = Number(/visits: (\d+)/.exec(await page())?.[1]);
  await sandbox.kill9();
  assert.match(await page(), new RegExp(`visits: ${before + 1}<`));
  await sandbox.start();
  assert.match((await slipway("ps")).stdout, /web.*healthy/i);
  assert.match(await page(), new RegExp(`visits: ${before + 2}<`));
  assert.match((await slipway("logs", "api")).stdout, /GET \/items/);
});

shop("watch syncs a saved file at once, and rebuilds for package.json", async () => {
  const before = await containers();
  const watch = sandbox.startSlipway(["watch"], { cwd });
  await until("watch is ready", () => /watch/i.test(watch.output()));
  const view = join(cwd, "web/views/index.html");
  writeFileSync(view, readFileSync(view, "utf8").replace("<h1>", "<h1>Welcome to "));
  await until("the page shows the change", async () => (await page()).includes("Welcome to "));
  assert.equal(await containers(), before);
  writeFileSync(join(cwd, "web/package.json"), '{ "name": "shop-web", "version": "2.0.0" }\n');
  await until("web is replaced", async () => (await containers())["web"] !== before["web"], MINUTES);
  assert.is((await containers())["api"], before["api"]);
  await watch.stop();
  await slipway("up", "--wait");
});

shop("the data survives down, and is gone after down -v", async () => {
  const visits = Number(/visits: (\d+)/.exec(await page())?.[1]);
  await slipway("down");
  await slipway("up", "--wait");
  assert.match(await page(), new RegExp(`visits: ${visits + 1}<`));
  await slipway("down", "-v");
  await slipway("up", "--wait");
  assert.match(await page(), /visits: 1</);
  await slipway("down", "-v");
});

shop.run();
