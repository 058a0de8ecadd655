/** Reading Compose files beside `docker compose config`: the marks of the model. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "../../src/model/load.ts";
import { median, type Row } from "./measure.ts";

/** The words before `config`, and the environment they run in. */
export interface Reader {
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const PEER = "docker compose config";

export async function benchModel(ours: Reader, peer: Reader | undefined): Promise<Row[]> {
  const root = mkdtempSync(join(tmpdir(), "slipway-bench-model-"));
  try {
    const small = ["-f", write(root, "small.yaml", services(0, 5))];
    const many = Array.from({ length: 20 }, (_, index) =>
      write(root, `${index}.yaml`, services(index * 25, 25)),
    ).flatMap((path) => ["-f", path]);
    return [
      cpuRow("config: 5 services, CPU", small, 10, "≥ 1", ours, peer),
      cpuRow("config: 500 services in 20 files, CPU", many, 2, "≥ 2", ours, peer),
      { ...(await warm(small[1]!)), mark: "≤ 5 ms" },
      ...(await hostileRows(root, ours, peer)),
    ];
  } finally {
    rmSync(root, { recursive: true });
  }
}

function services(first: number, count: number): string {
  const one = (n: number): string => `  s${n}:
    image: "nginx:\${TAG:-1.27}"
    command: ["nginx", "-g", "daemon off;"]
    environment: { LOG: info, PORT: "80", DB: "postgres://db/\${NAME:-app}" }
    ports: ["${8000 + n}:80"]
    volumes: ["./data:/data", "cache${first}:/cache"]
    healthcheck: { test: curl -f localhost, interval: 5s }
    depends_on: [${n > first ? `s${n - 1}` : ""}]
    networks: [back]
    deploy: { resources: { limits: { memory: 64m } } }
`;
  const list = Array.from({ length: count }, (_, index) => one(first + index)).join("");
  return `services:\n${list}networks: { back: }\nvolumes: { cache${first}: }\n`;
}

function write(root: string, name: string, text: string): string {
  writeFileSync(join(root, name), text);
  return join(root, name);
}

function cpuRow(
  name: string,
  files: readonly string[],
  runs: number,
  mark: string,
  ours: Reader,
  peer: Reader | undefined,
): Row {
  const times: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
  for (let round = 0; round < 3; round++) {
    times.ours.push(cpu(ours, files, runs));
    if (peer) times.peer.push(cpu(peer, files, runs));
  }
  return {
    name,
    ours: median(times.ours),
    peer: peer && median(times.peer),
    peerName: PEER,
    unit: "ms",
    mark,
  };
}

/** Milliseconds of CPU of one run, user and system, all processes of it together. */
function cpu({ command, env }: Reader, files: readonly string[], runs: number): number {
  // A shell counts in hundredths of a second: only several runs make a figure.
  const script = `n=${runs}; while [ $n -gt 0 ]; do "$@" >/dev/null 2>&1 || exit 1; n=$((n-1)); done; times`;
  const words = ["-c", script, "sh", ...command, ...files, "config"];
  const { status, stdout } = spawnSync("sh", words, { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command.join(" ")} config: exit ${status}`);
  const children = stdout.trim().split("\n").at(-1)!;
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(([, m, s]) => Number(m) * 60 + Number(s));
  return (seconds.reduce((sum, each) => sum + each, 0) / runs) * 1000;
}

/** The loader alone, in a process that has read files before. */
async function warm(path: string): Promise<Omit<Row, "mark">> {
  const times: number[] = [];
  for (let round = 0; round < 100; round++) {
    const started = performance.now();
    await load({ files: [path], env: {}, cwd: "/" });
    if (round >= 20) times.push(performance.now() - started);
  }
  return {
    name: "loader alone, 5 services, warm",
    ours: median(times),
    peer: undefined,
    peerName: "",
    unit: "ms",
  };
}

const BOMB = Array.from({ length: 30 }, (_, n) =>
  n === 0 ? "x-0: &a0 [x, x]" : `x-${n}: &a${n} [*a${n - 1}, *a${n - 1}]`,
).join("\n");

/** Files that are made to take the time or the memory of whoever reads them; all have to be refused. */
const HOSTILE: Readonly<Record<string, string>> = {
  "10 MB that is no Compose file": `a: ${"[1, 2, {b: c}],\n ".repeat(700_000)}`,
  "10 MB of unknown keys": Array.from({ length: 450_000 }, (_, n) => `key-${n}: "value ${n}"`).join("\n"),
  "20,000 mistakes": `services:\n${Array.from({ length: 20_000 }, (_, n) => `  s${n}: {imag: x}`).join("\n")}\n`,
  "100,000 levels": `services: ${"[".repeat(100_000)}`,
  "aliases of aliases": `${BOMB}\nservices: {s: {image: i, x-a: *a29}}\n`,
};

async function hostileRows(root: string, ours: Reader, peer: Reader | undefined): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [what, text] of Object.entries(HOSTILE)) {
    const path = write(root, "hostile.yaml", text);
    const mine = await refuse(ours, path);
    if (mine.status === 0) throw new Error(`${what}: it is accepted`);
    const theirs = peer && (await refuse(peer, path));
    const name = `refuse ${what}`;
    rows.push(
      { name, ours: mine.ms, peer: theirs?.ms, peerName: PEER, unit: "ms", mark: "< 1000 ms" },
      { name: `${name}: memory`, ours: mine.mib, peer: theirs?.mib, peerName: PEER, unit: "MiB", mark: "" },
    );
  }
  return rows;
}

/** @returns the wall clock until it has ended, or been stopped after 5 s or at 4 GB, and the most memory it had */
async function refuse(
  { command, env }: Reader,
  path: string,
): Promise<{ readonly status: number; readonly ms: number; readonly mib: number }> {
  const words = [...command, "-f", path, "config", "-q"];
  const started = performance.now();
  const child = spawn("timeout", ["-s", "KILL", "5", ...words], { env, stdio: "ignore" });
  let mib = 0;
  const watch = setInterval(() => {
    mib = Math.max(mib, peakOf(child.pid!));
    if (mib > 4096) child.kill("SIGKILL");
  }, 5);
  const [status] = (await once(child, "close")) as [number | null];
  clearInterval(watch);
  return { status: status ?? 1, ms: performance.now() - started, mib };
}

/** The most that a process and those below it have had resident, in MiB. */
function peakOf(pid: number): number {
  try {
    const own = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
    // Each thread has children of its own.
    const below = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean),
    );
    return Math.max(own, ...below.map((child) => peakOf(Number(child))));
  } catch {
    return 0; // It has ended.
  }
}
