import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type ExitRules, Exits } from "../../../src/verbs/exits.ts";

const exits = suite("verbs/exits");

const RULES: ExitRules = { abortOn: undefined, exitCodeFrom: undefined, endless: false };
const make = (rules: Partial<ExitRules> = {}, anyUp = false) =>
  new Exits(["w", "t"], { ...RULES, ...rules }, async () => anyUp);

/** The status that is decided on by now, if any. */
async function decision(of: Exits): Promise<number | "open"> {
  return await Promise.race([of.decided, new Promise<"open">((resolve) => setTimeout(resolve, 5, "open"))]);
}

exits("it is over when the last container has ended", async () => {
  const all = make();
  all.ended("w", "web", 3);
  assert.is(await decision(all), "open");
  all.ended("t", "test", 0);
  assert.is(await decision(all), 0);
});

exits("a container that is begun again keeps it going", async () => {
  const all = make({}, true);
  all.ended("w", "web", 1);
  all.ended("t", "test", 1);
  assert.is(await decision(all), "open");
});

for (const [what, rules, code, expected] of [
  ["--abort-on-container-exit ends with the first exit", { abortOn: "exit" }, 0, 0],
  ["--abort-on-container-failure ends with a failure", { abortOn: "failure" }, 2, 2],
  ["and not with a success", { abortOn: "failure" }, 0, "open"],
  ["--exit-code-from ends with that service's status", { exitCodeFrom: "test" }, 5, 5],
  ["and with no other's", { exitCodeFrom: "web" }, 5, "open"],
] as const) {
  exits(what, async () => {
    const all = make(rules);
    all.ended("t", "test", code);
    assert.is(await decision(all), expected);
  });
}

exits("with a watch nothing ends it", async () => {
  const all = make({ endless: true });
  all.ended("w", "web", 0);
  all.ended("t", "test", 0);
  assert.is(await decision(all), "open");
  await all.allEnded;
});

exits.run();
