/** Builds of a project of 2,008 files and 21 MB beside `docker buildx build`: the marks of the builder. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median, type Row, time } from "./measure.ts";

/** Builds a directory under a name. */
export type BuildRun = (directory: string, tag: string) => void;

export interface BuildBench {
  readonly ours: BuildRun;
  readonly peer: BuildRun | undefined;
  /** Builds without a command line. */
  readonly inDaemon: (directory: string, tag: string) => Promise<unknown>;
  readonly pid: number; // of the daemon
}

const ROUNDS = 5;

export async function benchBuilds(by: BuildBench): Promise<Row[]> {
  const root = mkdtempSync(join(tmpdir(), "slipway-bench-builds-"));
  const big = join(root, "big");
  const small = join(root, "small");
  mkdirSync(small);
  writeProject(big);
  let turn = Date.now(); // an earlier run's steps are in the peer's cache
  const take = (
    name: string,
    mark: string,
    directory: string,
    change: (turn: number) => void,
    rounds = ROUNDS,
  ): Row => {
    const times: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
    for (let round = 0; round < rounds; round++) {
      for (const who of ["ours", "peer"] as const) {
        const run = by[who];
        if (run === undefined) continue;
        change(turn++);
        const started = process.hrtime.bigint();
        run(directory, `bench-${name.split(" ")[0]}`);
        times[who].push(Number(process.hrtime.bigint() - started) / 1e6);
      }
    }
    const peer = times.peer.length === 0 ? undefined : median(times.peer);
    return {
      name: `build: ${name}`,
      ours: median(times.ours),
      best: Math.min(...times.ours),
      peer,
      peerName: "docker buildx",
      unit: "ms",
      mark,
    };
  };
  try {
    const alone = { peer: undefined, peerName: "" } as const;
    const idle = memoryOf(by.pid, "VmRSS");
    writeFileSync(`/proc/${by.pid}/clear_refs`, "5"); // the peak is measured anew
    const cold = take(
      "cold",
      "≥ 1.5",
      big,
      (n) => writeFileSync(join(big, "package.json"), `{ "n": ${n} }\n`),
      1,
    );
    const memory = memoryOf(by.pid, "VmHWM") - idle;
    const unchanged = take("unchanged", "≥ 5", big, () => {});
    const inDaemon: number[] = [];
    for (let round = 0; round < 2 * ROUNDS; round++)
      inDaemon.push(await time(() => by.inDaemon(big, "bench-unchanged")));
    return [
      cold,
      { ...alone, name: "build: cold, daemon over idle", ours: memory, unit: "MiB", mark: "≤ 150" },
      unchanged,
      {
        ...alone,
        name: "build: unchanged, in the daemon",
        ours: median(inDaemon),
        best: Math.min(...inDaemon),
        unit: "ms",
        mark: "≤ 40",
      },
      take("one file changed", "≥ 5", big, (n) => writeFileSync(join(big, "src/d3/f7.js"), `changed ${n}\n`)),
      take("a LABEL changed", "≥ 5", big, (n) =>
        writeFileSync(join(big, "Dockerfile"), `${DOCKERFILE}LABEL n=${n}\n`),
      ),
      take("ten RUNs", "≥ 8", small, (n) => writeFileSync(join(small, "Dockerfile"), tenRuns(n))),
      take("six stages", "≤ 1.9 s", small, (n) => writeFileSync(join(small, "Dockerfile"), sixStages(n))),
    ];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** A line of /proc/PID/status, in MiB. */
function memoryOf(pid: number, field: string): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) / 1024;
}

const DOCKERFILE = [
  "FROM busybox",
  "WORKDIR /app",
  "COPY package.json ./",
  "RUN echo deps > /deps",
  "COPY . .",
  "RUN find . -type f | wc -l > /count",
  "",
].join("\n");

/** 2,000 sources in 50 directories, six larger files, the same in every run. */
function writeProject(directory: string): void {
  let state = 42;
  const next = (): number => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state;
  };
  for (let d = 0; d < 50; d++) {
    mkdirSync(join(directory, `src/d${d}`), { recursive: true });
    for (let f = 0; f < 40; f++) {
      writeFileSync(
        join(directory, `src/d${d}/f${f}.js`),
        Buffer.alloc(1500 + (next() % 15000), String(next())),
      );
    }
  }
  for (let f = 0; f < 6; f++)
    writeFileSync(join(directory, `asset${f}.bin`), Buffer.alloc(500_000, String(next())));
  writeFileSync(join(directory, "package.json"), "{}\n");
  writeFileSync(join(directory, ".dockerignore"), "Dockerfile\n.dockerignore\n");
  writeFileSync(join(directory, "Dockerfile"), DOCKERFILE);
}

function tenRuns(turn: number): string {
  const runs = Array.from({ length: 10 }, (_, index) => `RUN echo ${turn}.${index} > /f${index}\n`);
  return `FROM busybox\n${runs.join("")}`;
}

function sixStages(turn: number): string {
  const numbers = [1, 2, 3, 4, 5, 6];
  const stages = numbers.map((n) => `FROM busybox AS s${n}\nRUN sleep 1; echo ${turn} > /o${n}\n`);
  const copies = numbers.map((n) => `COPY --from=s${n} /o${n} /\n`);
  return `${stages.join("")}FROM scratch\n${copies.join("")}`;
}
