/**
 * A way out for the scenarios that install packages in containers: a veth pair from a test's network namespace to
 * the machine's own, one nftables table that masquerades it, and ip_forward. What was there before is written to a
 * file first, so that even after a kill the next start puts everything back as it was found.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./command.ts";

const LINK = "slw-up0";
const PEER = "slw-up1";
const TABLE = "slipway_test_uplink";
const HERE = "10.213.77.1";
const THERE = "10.213.77.2";
const FORWARD = "/proc/sys/net/ipv4/ip_forward";
const STATE = join(tmpdir(), "slipway-test-uplink.json");

export interface Uplink {
  [Symbol.dispose](): void;
}

/** Gives the network namespace `netns` (a name of ip-netns(8)) a default route through this machine. */
export async function openUplink(netns: string): Promise<Uplink> {
  await until("the way out of another test run is closed", () => !isHeld(), 10 * 60_000);
  closeUplink(); // of a run that was killed
  const forward = readFileSync(FORWARD, "utf8").trim();
  writeFileSync(STATE, JSON.stringify({ forward, pid: process.pid }), { flag: "wx" });
  try {
    connect(netns);
  } catch (error) {
    closeUplink();
    throw error;
  }
  return { [Symbol.dispose]: closeUplink };
}

/** Whether another test run that is still alive has it. */
function isHeld(): boolean {
  if (!existsSync(STATE)) return false;
  const { pid } = JSON.parse(readFileSync(STATE, "utf8")) as { pid: number };
  return existsSync(`/proc/${pid}`);
}

function connect(netns: string): void {
  run("ip", "link", "add", LINK, "type", "veth", "peer", "name", PEER, "netns", netns);
  run("ip", "address", "add", `${HERE}/30`, "dev", LINK);
  run("ip", "link", "set", LINK, "up");
  run("ip", "-n", netns, "address", "add", `${THERE}/30`, "dev", PEER);
  run("ip", "-n", netns, "link", "set", PEER, "up");
  run("ip", "-n", netns, "route", "add", "default", "via", HERE);
  execFileSync("nft", ["-f", "-"], {
    input: `table ip ${TABLE} {
      chain post { type nat hook postrouting priority srcnat; ip saddr ${THERE}/30 oifname != "${LINK}" masquerade; }
    }`,
  });
  writeFileSync(FORWARD, "1");
}

/** Puts back what openUplink changed; does nothing where nothing was changed. */
export function closeUplink(): void {
  if (!existsSync(STATE)) return;
  const { forward } = JSON.parse(readFileSync(STATE, "utf8")) as { forward: string };
  writeFileSync(FORWARD, forward);
  attempt("nft", "delete", "table", "ip", TABLE);
  attempt("ip", "link", "delete", LINK);
  rmSync(STATE);
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
}

/** For what may be gone already: a namespace that died took its end of the pair, and so both, along. */
function attempt(program: string, ...args: readonly string[]): void {
  try {
    execFileSync(program, args, { stdio: "ignore" });
  } catch {
    // Not there: that is the state wanted.
  }
}
