/**
 * `npm run bench`: our figures beside the peer's, both taken in turn in one run on this machine.
 *
 *   npm run bench            all
 *   npm run bench -- start   those whose name holds a word
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stockClients } from "../helpers/clients.ts";
import { until } from "../helpers/command.ts";
import { Sandbox } from "../helpers/sandbox.ts";
import { benchBuilds } from "./builds.ts";
import { benchImages } from "./images.ts";
import { inTurn, median, must, printRows, type Row } from "./measure.ts";
import { benchModel } from "./model.ts";
import { residentMiB, startPeer } from "./peer.ts";
import { benchRuntime } from "./runtime.ts";

const root = join(import.meta.dirname, "../..");
/** After this the daemon and monitors have given back what they do not need. */
const IDLE_MS = 6000;
const cli = join(root, "src/slipway.sh");
const words = process.argv.slice(2);
const wanted = (name: string): boolean => words.length === 0 || words.some((word) => name.includes(word));

const rows: Row[] = [];
const peer = startPeer();
// At the level that a daemon has by default: a line for each request is for tests.
await using sandbox = await Sandbox.open({ args: ["--log-level", "info"] });
const { docker, config } = await stockClients();
const ours = { ...process.env, DOCKER_HOST: sandbox.host, SLIPWAY_HOST: sandbox.host, DOCKER_CONFIG: config };

if (wanted("cli")) {
  const node = await inTurn(
    20,
    () => must(cli, ["version", "--short"], { env: ours }),
    () => must(process.execPath, ["-e", "0"]),
  );
  rows.push({
    name: "cli: version --short",
    ...node,
    peerName: "node -e 0",
    unit: "ms",
    mark: "≤ 2.5 × node -e 0",
  });
  const times = await inTurn(
    20,
    () => must(cli, ["version"], { env: ours }),
    peer && (() => must("docker", ["compose", "version"], { env: peer.env })),
  );
  rows.push({ name: "cli: version", ...times, peerName: "docker compose version", unit: "ms", mark: "" });
}

if (wanted("config")) {
  const theirs = peer && { command: ["docker", "compose"], env: peer.env };
  rows.push(...(await benchModel({ command: [cli], env: ours }, theirs)));
}

if (wanted("run")) {
  const run = ["run", "--rm", "busybox", "true"];
  const times = await inTurn(
    15,
    () => must(docker, run, { env: ours }),
    peer && (() => must("docker", run, { env: peer.env })),
  );
  rows.push({
    name: "run --rm busybox true, stock CLI",
    ...times,
    peerName: "dockerd",
    unit: "ms",
    mark: "≥ 4",
  });
}

if (wanted("exec")) {
  const start = ["run", "-d", "--name", "bench-exec", "busybox", "sleep", "1000"];
  const exec = ["exec", "bench-exec", "true"];
  must(docker, start, { env: ours });
  if (peer) must("docker", start, { env: peer.env });
  const times = await inTurn(
    15,
    () => must(docker, exec, { env: ours }),
    peer && (() => must("docker", exec, { env: peer.env })),
  );
  rows.push({ name: "exec true, stock CLI", ...times, peerName: "dockerd", unit: "ms", mark: "" });
  must(docker, ["rm", "-f", "bench-exec"], { env: ours });
  if (peer) must("docker", ["rm", "-f", "bench-exec"], { env: peer.env });
}

if (wanted("build")) {
  rows.push(
    ...(await benchBuilds({
      ours: (directory, tag) => void must(cli, ["image", "build", "-q", "-t", tag, directory], { env: ours }),
      peer:
        peer &&
        ((directory, tag) => void must("docker", ["build", "-q", "-t", tag, directory], { env: peer.env })),
      inDaemon: (directory, tag) => sandbox.client.buildImage({ context: { directory }, tags: [tag] }),
      pid: sandbox.pid,
    })),
  );
}

if (wanted("images")) rows.push(...(await benchImages({ sandbox, docker, ours, peer })));
if (wanted("runtime")) rows.push(...(await benchRuntime(sandbox, peer)));
if (wanted("up")) await tenServices();
if (wanted("sync")) await sync();
if (wanted("memory")) await memory();

printRows(rows);
peer?.stop();

/** `up`, a second `up`, and `down` of ten busybox services, ours against docker compose on dockerd. */
async function tenServices(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-bench-"));
  const cwd = join(directory, "ten");
  mkdirSync(cwd);
  const services = Array.from(
    { length: 10 },
    (_, i) => `  s${i}:\n    image: busybox\n    command: sleep 1000\n    stop_signal: SIGKILL\n`,
  );
  writeFileSync(join(cwd, "compose.yaml"), `services:\n${services.join("")}`);
  const by = {
    ours: (...args: string[]) => must(cli, args, { cwd, env: ours }),
    peer: peer && ((...args: string[]) => must("docker", ["compose", ...args], { cwd, env: peer.env })),
  };
  const samples: Record<string, Row> = {};
  const take = async (name: string, args: readonly string[], mark: string): Promise<void> => {
    const times = await inTurnOnce(args, by);
    const before = samples[name];
    samples[name] = {
      name,
      ours: Math.min(before?.ours ?? Number.POSITIVE_INFINITY, times.ours),
      peer:
        times.peer === undefined ? undefined : Math.min(before?.peer ?? Number.POSITIVE_INFINITY, times.peer),
      peerName: "docker compose",
      unit: "ms",
      mark,
    };
  };
  for (let round = 0; round < 4; round += 1) {
    await take("up -d, 10 services (best)", ["up", "-d"], "≥ 4");
    await take("no-op up -d, 10 services (best)", ["up", "-d"], "≥ 0.83");
    await take("down, 10 services (best)", ["down"], "");
  }
  rows.push(...Object.values(samples));
  rmSync(directory, { recursive: true });
}

type Runner = (...args: string[]) => unknown;

async function inTurnOnce(
  args: readonly string[],
  by: { ours: Runner; peer: Runner | undefined },
): Promise<{ ours: number; peer: number | undefined }> {
  const once = (work: Runner): number => {
    const started = process.hrtime.bigint();
    work(...args);
    return Number(process.hrtime.bigint() - started) / 1e6;
  };
  return { ours: once(by.ours), peer: by.peer && once(by.peer) };
}

/** From a saved file to its content in the container, by `watch`. */
async function sync(): Promise<void> {
  const cwd = mkdtempSync(join(tmpdir(), "slipway-bench-"));
  mkdirSync(join(cwd, "src"));
  const file = join(cwd, "src/page");
  writeFileSync(file, "0");
  writeFileSync(
    join(cwd, "compose.yaml"),
    "name: sync\nservices:\n  web:\n    image: busybox\n    command: sleep 1000\n    stop_signal: SIGKILL\n    develop: { watch: [{ path: ./src, action: sync, target: /srv }] }\n",
  );
  must(cli, ["up", "-d"], { cwd, env: ours });
  const [container] = await sandbox.client.listContainers();
  const root = `/proc/${(await sandbox.client.inspectContainer(container?.Id ?? "")).State.Pid}/root`;
  const watch = sandbox.startSlipway(["watch", "--no-up"], { cwd });
  await until("it watches", () => watch.output().includes("watching"));
  const times: number[] = [];
  for (let round = 1; round <= 10; round += 1) {
    const started = process.hrtime.bigint();
    writeFileSync(file, String(round));
    const seen = (): boolean => {
      try {
        return readFileSync(`${root}/srv/page`, "utf8") === String(round);
      } catch {
        return false; // It is being replaced.
      }
    };
    while (!seen()) await new Promise((resolve) => setTimeout(resolve, 1));
    times.push(Number(process.hrtime.bigint() - started) / 1e6);
  }
  await watch.stop();
  must(cli, ["down"], { cwd, env: ours });
  rmSync(cwd, { recursive: true });
  rows.push({
    name: "sync: saved file in the container",
    ours: median(times),
    peer: undefined,
    peerName: "",
    unit: "ms",
    mark: "≤ 100",
  });
}

/** Resident memory of the daemon once it is idle, and of a container's monitor. */
async function memory(): Promise<void> {
  must(docker, ["run", "-d", "--name", "bench-memory", "busybox", "sleep", "1000"], { env: ours });
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  rows.push({
    name: "memory: daemon, idle",
    ours: residentMiB(sandbox.pid),
    peer: undefined,
    peerName: "",
    unit: "MiB",
    mark: "≤ 80",
  });
  const monitors = readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes("slipway-native"))
    .filter((pid) => commandOf(pid).includes("monitor") || /^slipway-mon/.test(nameOf(pid)));
  for (const pid of monitors.slice(0, 1)) {
    rows.push({
      name: "memory: a monitor",
      ours: residentMiB(Number(pid)),
      peer: undefined,
      peerName: "",
      unit: "MiB",
      mark: "≤ 1",
    });
  }
  must(docker, ["rm", "-f", "bench-memory"], { env: ours });
}

function commandOf(pid: string): string {
  return existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : "";
}

function nameOf(pid: string): string {
  return existsSync(`/proc/${pid}/comm`) ? readFileSync(`/proc/${pid}/comm`, "utf8") : "";
}
