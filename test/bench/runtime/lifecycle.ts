/** The life of containers as clients see it, over the Engine API's socket. */
import type { EngineClient } from "../../../src/client/client.ts";
import { inTurn, type Row, time } from "../measure.ts";

const ROUNDS = 30;

export async function benchLifecycle(ours: EngineClient, dockerd: EngineClient | undefined): Promise<Row[]> {
  const whole = await inTurn(ROUNDS, () => live(ours), dockerd && (() => live(dockerd)));
  const cycle: Row = {
    name: "runtime: create + start + wait + rm",
    ...whole,
    peerName: "dockerd",
    unit: "ms",
    mark: "≤ 30, ≥ 8×",
  };
  return [cycle, await benchExec(ours, dockerd), await benchRate(ours, dockerd)];
}

/** A container of `true`, from its making to its removal. */
async function live(engine: EngineClient): Promise<void> {
  const { Id } = await engine.createContainer({ Image: "busybox", Cmd: ["true"] });
  const { result } = await engine.beginWait(Id, { condition: "next-exit" });
  await engine.startContainer(Id);
  await result;
  await engine.removeContainer(Id);
}

async function benchExec(ours: EngineClient, dockerd: EngineClient | undefined): Promise<Row> {
  const inOurs = await startSleeper(ours);
  const inPeer = dockerd && (await startSleeper(dockerd));
  const times = await inTurn(ROUNDS, () => exec(ours, inOurs), dockerd && (() => exec(dockerd, inPeer!)));
  await ours.removeContainer(inOurs, { force: true });
  await dockerd?.removeContainer(inPeer!, { force: true });
  return { name: "runtime: exec over the API", ...times, peerName: "dockerd", unit: "ms", mark: "≥ 10×" };
}

/** Makes an exec of `true`, starts it, and reads to its end. */
async function exec(engine: EngineClient, container: string): Promise<void> {
  const id = await engine.createExec(container, { Cmd: ["true"], AttachStdout: true, AttachStderr: true });
  const { output } = await engine.startExec(id, { tty: false });
  for await (const _ of output);
  const { ExitCode } = await engine.inspectExec(id);
  if (ExitCode !== 0) throw new Error(`exec of true: exit ${ExitCode}`);
}

export async function startSleeper(engine: EngineClient): Promise<string> {
  const { Id } = await engine.createContainer({ Image: "busybox", Cmd: ["sleep", "1000"] });
  await engine.startContainer(Id);
  return Id;
}

async function benchRate(ours: EngineClient, dockerd: EngineClient | undefined): Promise<Row> {
  return {
    name: "runtime: four at a time",
    ours: await rate(ours, 300),
    peer: dockerd && (await rate(dockerd, 24)),
    peerName: "dockerd",
    unit: "containers/s",
    mark: "≥ 60",
  };
}

async function rate(engine: EngineClient, count: number): Promise<number> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await live(engine);
  };
  const ms = await time(() => Promise.all([worker(), worker(), worker(), worker()]));
  return (count / ms) * 1000;
}
