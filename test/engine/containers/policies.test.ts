import { suite } from "uvu";
import * as assert from "uvu/assert";
import { healthPolicy, nextHealth, probeDelay } from "../../../engine/containers/health-policy.ts";
import { humanDuration } from "../../../engine/containers/list.ts";
import { isName, randomName } from "../../../engine/containers/names.ts";
import { nextDelay } from "../../../engine/containers/restart.ts";
import { signalNumber } from "../../../engine/containers/signals.ts";
import { formatTime, parseTime } from "../../../engine/containers/time.ts";
import type { HealthState } from "../../../engine/containers/types.ts";

const health = suite("engine/containers/health-policy");

const policy = healthPolicy({
  Healthcheck: { Test: ["CMD-SHELL", "test -f /ok"], Interval: 1e9, Retries: 2, StartPeriod: 3e9 },
})!;
const fresh: HealthState = { status: "starting", failingStreak: 0, log: [] };
const result = (ExitCode: number) => ({ Start: "", End: "", ExitCode, Output: "" });

health("a probe is a program, a shell line, or none", () => {
  assert.equal(policy.argv, ["/bin/sh", "-c", "test -f /ok"]);
  assert.equal(
    healthPolicy({ Shell: ["/bin/ash", "-ec"], Healthcheck: { Test: ["CMD-SHELL", "x"] } })?.argv,
    ["/bin/ash", "-ec", "x"],
  );
  assert.equal(healthPolicy({ Healthcheck: { Test: ["CMD", "a", "b"] } })?.argv, ["a", "b"]);
  for (const Test of [["NONE"], [], ["CMD"]]) assert.is(healthPolicy({ Healthcheck: { Test } }), undefined);
});

health("probes begin at once and back off to the interval", () => {
  const delays: number[] = [];
  for (let last = 0; delays.length < 6; ) delays.push((last = probeDelay(policy, fresh, last, 10_000)));
  assert.equal(delays, [100, 200, 400, 800, 1000, 1000]);
  assert.is(probeDelay(policy, { ...fresh, status: "healthy" }, 100, 0), 1000);
});

health("one success makes it healthy, at any age", () => {
  assert.is(nextHealth(policy, fresh, result(0), 5, 5).state.status, "healthy");
});

health("early failures count once an interval, and none in the start period", () => {
  assert.is(nextHealth(policy, fresh, result(1), 100, 100).counted, false);
  assert.is(nextHealth(policy, fresh, result(1), 2_900, 2_900).counted, false);
  assert.is(nextHealth(policy, fresh, result(1), 3_100, 400).counted, false);
  const first = nextHealth(policy, fresh, result(1), 3_100, 3_100);
  assert.is(first.state.failingStreak, 1);
  assert.is(nextHealth(policy, first.state, result(1), 4_200, 1_100).state.status, "unhealthy");
});

health("a healthy container needs as many failures in a row", () => {
  const healthy: HealthState = { ...fresh, status: "healthy" };
  const once = nextHealth(policy, healthy, result(1), 0, 0).state;
  assert.equal([once.status, once.failingStreak], ["healthy", 1]);
  assert.is(nextHealth(policy, once, result(1), 0, 0).state.status, "unhealthy");
  assert.equal(nextHealth(policy, once, result(0), 0, 0).state.failingStreak, 0);
});

health("the newest five results are kept", () => {
  let state = fresh;
  for (let code = 10; code < 17; code++) ({ state } = nextHealth(policy, state, result(code), 0, 0));
  assert.equal(
    state.log.map(({ ExitCode }) => ExitCode),
    [12, 13, 14, 15, 16],
  );
});

health.run();

const small = suite("engine/containers: delays, names, signals, times");

small("restarts back off to a minute, and begin anew after a steady run", () => {
  const delays: number[] = [];
  for (let last = 0; delays.length < 12; ) delays.push((last = nextDelay(last, 0)));
  assert.equal(delays.slice(0, 5), [100, 200, 400, 800, 1600]);
  assert.is(delays.at(-1), 60_000);
  assert.is(nextDelay(60_000, 10_000), 100);
});

small("random names are two words and none that is taken", () => {
  const first = randomName(
    () => false,
    () => 0,
  );
  assert.match(first, /^[a-z]+_[a-z]+$/);
  assert.match(
    randomName(
      (name) => !/\d/.test(name),
      () => 0,
    ),
    /\d$/,
  );
});

for (const [name, good] of [
  ["web-1", true],
  ["a.b_c", true],
  ["0x", true],
  ["a", false],
  ["-a", false],
  ["a/b", false],
  ["", false],
] as const) {
  small(`"${name}" is ${good ? "a" : "no"} name`, () => assert.is(isName(name), good));
}

for (const [text, number] of [
  ["SIGTERM", 15],
  ["kill", 9],
  ["hup", 1],
  ["9", 9],
  ["RTMIN+3", 37],
  ["SIGRTMAX-1", 63],
] as const) {
  small(`signal ${text} is ${number}`, () => assert.is(signalNumber(text), number));
}

for (const text of ["", "0", "65", "SIGNONE", "RTMIN+40", "9x"]) {
  small(`"${text}" is no signal`, () => {
    assert.throws(() => signalNumber(text), /invalid signal|does not support signal/);
  });
}

for (const [seconds, text] of [
  [0.4, "Less than a second"],
  [1, "1 second"],
  [59, "59 seconds"],
  [60, "About a minute"],
  [150, "2 minutes"],
  [3600, "About an hour"],
  [3 * 3600, "3 hours"],
  [3 * 86400, "3 days"],
  [20 * 86400, "2 weeks"],
] as const) {
  small(`${seconds} s is "${text}"`, () => assert.is(humanDuration(seconds), text));
}

for (const text of ["2026-11-22T02:54:55.575539809Z", "2026-11-22T02:54:55Z", "2026-01-01T00:00:00.5Z"]) {
  small(`${text} is read and written alike`, () => assert.is(formatTime(parseTime(text)), text));
}

small("Go's zero time and nonsense are 0", () => {
  assert.equal([parseTime("0001-01-01T00:00:00Z"), parseTime("soon")], [0n, 0n]);
});

small.run();
