/**
 * The runtime alone, without records and HTTP: a container of `true` and an exec of it. Beside it runc, with less to do:
 * it makes no network.
 */
import { join } from "node:path";
import type { Sandbox } from "../../helpers/sandbox.ts";
import { inTurn, median, type Row, time } from "../measure.ts";
import { Launches } from "./launches.ts";
import { startSleeper } from "./lifecycle.ts";
import { openRunc, type Runc } from "./runc.ts";

const ROUNDS = 50;

export async function benchNative(sandbox: Sandbox): Promise<Row[]> {
  // The first container of a daemon brings up the bridge.
  const neighbour = await startSleeper(sandbox.client);
  const bench = await Launches.open(sandbox, neighbour);
  const runc = openRunc(join(sandbox.directory, "runc"), bench.layer, sandbox.cgroupParent);
  const start = await benchStart(bench, runc);
  const exec = await benchExec(bench, runc);
  bench.close();
  await sandbox.client.removeContainer(neighbour, { force: true });
  return [...start, exec];
}

async function benchStart(bench: Launches, runc: Runc | undefined): Promise<Row[]> {
  const [toExec, toExit, runcToExec]: [number[], number[], number[]] = [[], [], []];
  await bench.run();
  for (let round = 0; round < ROUNDS; round += 1) {
    const { started, exited } = await bench.run();
    toExec.push(started);
    toExit.push(exited);
    if (runc === undefined) continue;
    runcToExec.push(await time(() => runc.start()));
    runc.remove();
  }
  const whole = runc && (await inTurn(20, () => runc.run()));
  const row = (name: string, times: readonly number[], peer: number | undefined, mark: string): Row => ({
    name,
    ours: median(times),
    best: Math.min(...times),
    peer,
    peerName: "runc",
    unit: "ms",
    mark,
  });
  return [
    row("runtime: start to the program", toExec, runc && median(runcToExec), "≤ 8"),
    row("runtime: start to the end of true", toExit, whole?.ours, ""),
  ];
}

async function benchExec(bench: Launches, runc: Runc | undefined): Promise<Row> {
  const monitor = await bench.startSleeper();
  runc?.startSleeper();
  const times = await inTurn(ROUNDS, () => bench.exec(monitor), runc && (() => runc.exec()));
  runc?.remove();
  await monitor.signal(9);
  await monitor.exited;
  monitor.close();
  return { name: "runtime: exec of true", ...times, peerName: "runc", unit: "ms", mark: "≤ 5" };
}
