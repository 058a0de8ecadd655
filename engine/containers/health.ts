import { formatDuration } from "../duration.ts";
import { messageOf } from "../errors.ts";
import type { Container } from "./container.ts";
import { type HealthPolicy, healthPolicy, nextHealth, probeDelay } from "./health-policy.ts";
import type { ProcessSpec } from "./operations.ts";
import { execError, runIn, userFiles } from "./run-in.ts";
import { containerProcess } from "./spec.ts";
import { formatTime, nowNs } from "./time.ts";
import { emit, type Tools } from "./tools.ts";
import type { HealthResult, HealthState } from "./types.ts";

const OUTPUT_LIMIT = 4096;
const FRESH: HealthState = { status: "starting", failingStreak: 0, log: [] };

/** Starts the probes of a container that just started; undefined if it has none. */
export function startHealthProbes(tools: Tools, container: Container): HealthProbes | undefined {
  const policy = healthPolicy(container.record.config);
  if (policy === undefined) return undefined;
  return new HealthProbes(tools, container, policy, FRESH, 0);
}

/** Goes on with the probes of a container that an earlier daemon started. */
export function resumeHealthProbes(
  tools: Tools,
  container: Container,
  age: number,
): HealthProbes | undefined {
  const policy = healthPolicy(container.record.config);
  if (policy === undefined) return undefined;
  return new HealthProbes(tools, container, policy, container.record.state.health ?? FRESH, age);
}

/** Runs a container's health probes, one at a time, and keeps its health up to date. */
export class HealthProbes {
  readonly #tools: Tools;
  readonly #container: Container;
  readonly #policy: HealthPolicy;
  readonly #born: number;
  #counted: number;
  #delay = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(tools: Tools, container: Container, policy: HealthPolicy, state: HealthState, age: number) {
    this.#tools = tools;
    this.#container = container;
    this.#policy = policy;
    this.#born = performance.now() - age;
    this.#counted = this.#born;
    tools.registry.setState(container, { health: state });
    this.#wait(0);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  pause(): void {
    this.stop();
  }

  resume(): void {
    this.#stopped = false;
    this.#wait(this.#delay);
  }

  #wait(delay: number): void {
    this.#timer = setTimeout(() => void this.#probe(), delay); // #probe() keeps its failures as results
    this.#timer.unref();
  }

  async #probe(): Promise<void> {
    const age = performance.now() - this.#born;
    const result = await this.#run();
    if (this.#stopped) return;
    const now = performance.now();
    const before = this.#container.record.state.health ?? FRESH;
    const { state, counted } = nextHealth(this.#policy, before, result, age, now - this.#counted);
    if (counted) this.#counted = now;
    this.#tools.registry.setState(this.#container, { health: state });
    if (state.status !== before.status) {
      emit(this.#tools, this.#container, `health_status: ${state.status}`);
      await this.#tools.registry.changeState(this.#container, {});
    }
    this.#delay = probeDelay(this.#policy, state, this.#delay, now - this.#born);
    this.#wait(this.#delay);
  }

  async #run(): Promise<HealthResult> {
    const begin = formatTime(nowNs());
    const output: Buffer[] = [];
    let size = 0;
    const result = (ExitCode: number, text = Buffer.concat(output).toString()): HealthResult => ({
      Start: begin,
      End: formatTime(nowNs()),
      ExitCode,
      Output: text,
    });
    let process: ProcessSpec | undefined;
    try {
      const files = await userFiles(this.#tools, this.#container, "");
      const base = containerProcess(this.#tools, this.#container.record, files);
      process = { ...base, argv: this.#policy.argv, terminal: undefined, init: false, keyring: undefined };
      const session = await runIn(
        this.#container,
        process,
        { stdin: false, stdout: true, stderr: true },
        {
          data: (_, chunk) => {
            if (size < OUTPUT_LIMIT) output.push(chunk.subarray(0, OUTPUT_LIMIT - size));
            size += chunk.length;
            return true;
          },
        },
      );
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        session.signal(SIGKILL);
      }, this.#policy.timeout);
      const exit = await session.exited;
      clearTimeout(timer);
      session.close();
      if (late) {
        const text = Buffer.concat(output).toString();
        const limit = formatDuration(this.#policy.timeout * 1e6);
        return result(-1, `Health check exceeded timeout (${limit})${text === "" ? "" : `: ${text}`}`);
      }
      return result(exit?.code ?? -1);
    } catch (error) {
      return result(-1, messageOf(execError(error, process)));
    }
  }
}

const SIGKILL = 9;
