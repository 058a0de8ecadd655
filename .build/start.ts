/**
 * `npm start`: brings fixtures/shop up as a user would, shows what runs, fetches its page through the published port,
 * and leaves it running.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { parse } from "dotenv";

const root = join(import.meta.dirname, "..");
const shop = join(root, "fixtures/shop");
const settings = { ...parse(readFileSync(join(shop, ".env"))), ...process.env };

slipway("image", "bootstrap", "debian:bookworm-slim");
slipway("up", "--wait");
slipway("ps");

const url = `http://127.0.0.1:${settings["SHOP_PORT"]}/`;
console.log(`\n$ curl ${url}`);
console.log(await fetchText(url));
console.log(`The shop goes on running. From here:
  cd fixtures/shop
  npx slipway ps               what runs
  npx slipway logs -f          its output
  npx slipway watch            edit web/views/index.html and reload ${url}
  npx slipway down             stop and remove it; the data stays
  npx slipway down -v          … and the data too`);

/** Runs one command in the shop's folder, on this terminal; ends with its exit status if it fails. */
function slipway(...args: readonly string[]): void {
  console.log(`\n$ slipway ${args.join(" ")}`);
  const { status, error } = spawnSync(join(root, "src/slipway.sh"), args, { cwd: shop, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function fetchText(from: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(from, (reply) => {
      let text = "";
      reply.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      reply.on("end", () => {
        if (reply.statusCode === 200) resolve(text);
        else reject(new Error(`${from}: status ${reply.statusCode}: ${text}`));
      });
    }).on("error", reject);
  });
}
