/** RUN: a command in the stage's tree, in a container of its own of which only the written files stay. */
import type { BuildStep, StepMount, StepResult } from "../../containers/types.ts";
import { EngineError } from "../../errors.ts";
import { digestOf } from "../cache.ts";
import { CommandFailure } from "../failure.ts";
import type { RunStep } from "../plan/types.ts";
import { type MountedStep, openMounts, prepareMounts } from "./mounts.ts";
import { Tail } from "./tail.ts";
import type { Prepared, StepTools, Target } from "./types.ts";

/** The host name that BuildKit gives, so that programs which record it give the same files. */
const HOSTNAME = "buildkitsandbox";
const SCRIPTS = "/dev/pipes";

/** @throws {EngineError} forbidden for what needs an entitlement that was not given */
export async function prepareRun(step: RunStep, tools: StepTools): Promise<Prepared> {
  if (step.security === "insecure" && !tools.entitlements.has("security.insecure")) {
    throw new EngineError(
      "forbidden",
      "security.insecure is not allowed: give the build this entitlement (--allow)",
    );
  }
  if (step.network === "host" && !tools.entitlements.has("network.host")) {
    throw new EngineError(
      "forbidden",
      "network.host is not allowed: give the build this entitlement (--allow)",
    );
  }
  const mounts = await prepareMounts(step, tools);
  const { argv, env, cwd, user, network, security, script } = step;
  const inputs = {
    command: digestOf([argv, cwd, user, network, security, script ?? null]),
    environment: digestOf(env),
  };
  return {
    inputs: { ...inputs, ...mounts.inputs },
    independent: false,
    perform: (target, output) => run(step, tools, mounts, target, output),
  };
}

async function run(
  step: RunStep,
  tools: StepTools,
  mounts: MountedStep,
  target: Target,
  output: BuildStep["output"],
): Promise<void> {
  const tail = new Tail();
  const opened = await openMounts(mounts, tools);
  try {
    const result = await startStep(step, tools.runner, {
      lowers: target.lowers,
      upper: target.upper,
      work: target.work,
      argv: step.argv,
      env: [...step.env, ...step.proxies, ...opened.env],
      cwd: step.cwd,
      ...(step.user !== "" && { user: step.user }),
      hostname: HOSTNAME,
      mounts: [...opened.mounts, ...scriptMounts(step)],
      network: step.network === "default" ? "bridge" : step.network,
      hosts: tools.extraHosts,
      ...(tools.shmSize !== undefined && { shmSize: tools.shmSize }),
      ulimits: tools.ulimits,
      security: step.security,
      signal: tools.signal,
      output(stream, chunk) {
        tail.add(stream, chunk);
        output(stream, chunk);
      },
    });
    if (result.exitCode !== 0) {
      throw new CommandFailure(step.argv.join(" "), result.exitCode, tail.lines(), result.oomKilled);
    }
  } finally {
    await opened.close();
  }
}

/** A program that cannot be started is told of in the builder's words: nobody here asked for a container. */
async function startStep(
  { argv }: RunStep,
  runner: StepTools["runner"],
  step: BuildStep,
): Promise<StepResult> {
  try {
    return await runner.runStep(step);
  } catch (error) {
    if (!(error instanceof EngineError) || step.signal?.aborted === true) throw error;
    const why =
      /unable to start container process: (.*?)(?:: unknown)?$/s.exec(error.message)?.[1] ?? error.message;
    const command = JSON.stringify(argv.join(" "));
    throw new EngineError("invalid", `process ${command} did not complete successfully: ${why}`, {
      cause: error,
    });
  }
}

function scriptMounts({ script }: RunStep): StepMount[] {
  if (script === undefined) return [];
  const content = Buffer.from(script.content);
  return [{ type: "file", target: `${SCRIPTS}/${script.name}`, content, mode: 0o755, uid: 0, gid: 0 }];
}
