/** What containers cost that do nothing: memory beside the daemon. */
import type { EngineClient } from "../../../src/client/client.ts";
import type { Sandbox } from "../../helpers/sandbox.ts";
import { median, type Row } from "../measure.ts";
import { startSleeper } from "./lifecycle.ts";
import { kilobytesOf, pidsOf, readOf } from "./processes.ts";

const [OURS, PEERS] = [100, 5];
/** Milliseconds after which an idle process has given back what it does not need. */
const SETTLED = 3000;

export async function benchIdle(sandbox: Sandbox, dockerd: EngineClient | undefined): Promise<Row[]> {
  const isOurs = (pid: number): boolean => readOf(`/proc/${pid}/cmdline`).includes(sandbox.execRoot);
  const before = new Set(pidsOf("containerd-shim"));
  const monitors = await idle(sandbox.client, OURS, () => pidsOf("slipway-monitor").filter(isOurs));
  const shims =
    dockerd &&
    (await idle(dockerd, PEERS, () => pidsOf("containerd-shim").filter((pid) => !before.has(pid))));
  const one: Row = {
    name: "runtime: a monitor, resident",
    ours: monitors.resident,
    peer: shims?.resident,
    peerName: "containerd-shim",
    unit: "kB",
    mark: "≤ 200 (glibc: ≤ 1024)",
  };
  const all: Row = {
    name: `runtime: ${OURS} idle containers`,
    ours: monitors.together / 1024,
    peer: shims && (shims.together / 1024 / PEERS) * OURS,
    peerName: `dockerd, from ${PEERS}`,
    unit: "MiB",
    mark: "≤ 30",
  };
  return [one, all];
}

/** Memory of the processes beside `count` containers, in kB: of one, and of all with what they share counted once. */
async function idle(
  engine: EngineClient,
  count: number,
  beside: () => readonly number[],
): Promise<{ resident: number; together: number }> {
  const started: string[] = [];
  try {
    while (started.length < count) started.push(await startSleeper(engine));
    await new Promise((resolve) => setTimeout(resolve, SETTLED));
    const pids = beside();
    if (pids.length < count) throw new Error(`${pids.length} processes beside ${count} containers`);
    return {
      resident: median(pids.map((pid) => kilobytesOf(pid, "Rss"))),
      together: pids.reduce((sum, pid) => sum + kilobytesOf(pid, "Pss"), 0),
    };
  } finally {
    await Promise.all(started.map((id) => engine.removeContainer(id, { force: true })));
  }
}
