import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ContainerInspect } from "../../../src/client/types/containers.ts";
import type { EngineEvent } from "../../../src/client/types/system.ts";
import { AppError } from "../../../src/errors.ts";
import { LABEL } from "../../../src/labels.ts";
import { Readiness } from "../../../src/reconcile/ready.ts";
import { fakeEngine } from "../engine.ts";
import { project } from "../project.ts";

const ready = suite("reconcile/ready");

type State = Partial<ContainerInspect["State"]>;

/** An engine with one container of `db` whose state changes with each event. */
function engineOf(states: readonly State[]) {
  let at = 0;
  let looks = 0;
  async function* events(): AsyncGenerator<EngineEvent> {
    while (at < states.length - 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      at += 1;
      yield { Actor: { ID: "c1", Attributes: { [LABEL.service]: "db" } } } as unknown as EngineEvent;
    }
    await new Promise(() => {});
  }
  const engine = fakeEngine({
    events: async () => events(),
    listContainers: async () => [{ Id: "c1" }] as never,
    inspectContainer: async () => {
      looks += 1;
      return { Id: "c1", State: { Status: "running", ...states[at] }, Config: {} } as ContainerInspect;
    },
    async *logs() {
      yield { stream: "stdout" as const, data: Buffer.from("FATAL no config\n") };
    },
  });
  return { engine, looks: () => looks };
}

const health = (Status: string, log: object[] = []): State => ({
  Health: { Status, FailingStreak: log.length, Log: log } as never,
});
const wait = (
  states: readonly State[],
  awaited: "service_healthy" | "service_completed_successfully" | "ready",
) => {
  const { engine, looks } = engineOf(states);
  const readiness = new Readiness(project({ db: {} }), engine, new AbortController().signal);
  return { result: readiness.wait("db", awaited), looks };
};

ready("a healthy service is waited for by events, looked at once an event", async () => {
  const { result, looks } = wait(
    [health("starting"), health("starting"), health("healthy")],
    "service_healthy",
  );
  assert.is(await result, "healthy");
  assert.ok(looks() <= 3);
});

ready("what is so already needs no event", async () => {
  assert.is(await wait([health("healthy")], "service_healthy").result, "healthy");
  assert.is(await wait([{}], "ready").result, "running");
});

ready("a job has completed when it has exited with 0, also for ready", async () => {
  const done = { Status: "exited", ExitCode: 0 } as const;
  assert.is(await wait([{}, done], "service_completed_successfully").result, "completed");
  assert.is(await wait([done], "ready").result, "completed");
});

for (const [what, states, awaited, code, message] of [
  [
    "an unhealthy service says what its probe said",
    [health("unhealthy", [{ ExitCode: 1, Output: "probe says no\n" }])],
    "service_healthy",
    "SERVICE_UNHEALTHY",
    'db is unhealthy after 1 failed probe: exit 1 "probe says no"',
  ],
  [
    "a failed job says its status",
    [{ Status: "exited", ExitCode: 3 }],
    "service_completed_successfully",
    "SERVICE_EXITED",
    "db exited with 3",
  ],
  [
    "a signal is named",
    [{ Status: "exited", ExitCode: 137 }],
    "ready",
    "SERVICE_EXITED",
    "db exited with 137 (SIGKILL)",
  ],
  [
    "no healthcheck can never be healthy",
    [{}],
    "service_healthy",
    "SERVICE_UNHEALTHY",
    "db has no healthcheck, so it can never be healthy",
  ],
] as const) {
  ready(what, async () => {
    const error = await wait(states as readonly State[], awaited).result.catch(
      (reason: unknown) => reason as AppError,
    );
    assert.instance(error, AppError);
    assert.is((error as AppError).code, code);
    assert.is((error as AppError).message, message);
    if (code === "SERVICE_EXITED") assert.equal((error as AppError).said?.lines, ["FATAL no config"]);
  });
}

ready.run();
