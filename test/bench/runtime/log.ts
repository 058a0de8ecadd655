/** How fast a container's output gets into its log: lines of 100 bytes, from a file that is in memory. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineClient } from "../../../src/client/client.ts";
import { type Row, time } from "../measure.ts";

const LINE = `${"slipway ".repeat(13).slice(0, 99)}\n`;
const [OURS, PEERS] = [400_000_000, 60_000_000]; // bytes

export async function benchLog(ours: EngineClient, dockerd: EngineClient | undefined): Promise<Row[]> {
  const directory = mkdtempSync("/var/tmp/slw-bench-log-");
  try {
    const row: Row = {
      name: "runtime: log of 100-byte lines",
      ours: await throughput(ours, join(directory, "ours"), OURS),
      peer: dockerd && (await throughput(dockerd, join(directory, "peer"), PEERS)),
      peerName: "dockerd",
      unit: "MB/s",
      mark: "≥ 80",
    };
    return [row];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** From the start of the program that writes to its end, which comes when all that it wrote has been read. */
async function throughput(engine: EngineClient, path: string, size: number): Promise<number> {
  writeFileSync(path, LINE.repeat(size / LINE.length));
  const { Id } = await engine.createContainer({
    Image: "busybox",
    Cmd: ["cat", "/lines"],
    HostConfig: { Binds: [`${path}:/lines:ro`] },
  });
  const { result } = await engine.beginWait(Id, { condition: "next-exit" });
  await engine.startContainer(Id);
  const ms = await time(() => result);
  await engine.removeContainer(Id);
  return size / 1000 / ms;
}
