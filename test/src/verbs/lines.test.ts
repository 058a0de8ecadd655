import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type LogLine, mergeByTime, readLines, sinceOf } from "../../../src/verbs/lines.ts";
import { pointInTime } from "../../../src/verbs/logs.ts";
import { fakeEngine } from "../engine.ts";

const lines = suite("verbs/lines");

const web = { id: "c1", source: "web-1", service: "web" };

async function texts(sequence: AsyncIterable<LogLine>): Promise<string[]> {
  const all: string[] = [];
  for await (const { source, text } of sequence) all.push(`${source} ${text}`);
  return all;
}

lines("lines are put together from chunks that end anywhere", async () => {
  const engine = fakeEngine({
    async *logs() {
      yield { stream: "stdout" as const, data: Buffer.from("2026-01-01T00:00:00.1Z on") };
      yield { stream: "stderr" as const, data: Buffer.from("2026-01-01T00:00:00.2Z err\n") };
      yield { stream: "stdout" as const, data: Buffer.from("e\r\n2026-01-01T00:00:00.3Z no end") };
    },
  });
  assert.equal(await texts(readLines(engine, web, {})), ["web-1 err", "web-1 one", "web-1 no end"]);
});

lines("several logs become one in order of time, whatever the length of the fractions", async () => {
  async function* log(source: string, ...times: string[]): AsyncGenerator<LogLine> {
    for (const time of times)
      yield { source, service: source, stream: "stdout", time, text: time.slice(17, -1) };
  }
  assert.equal(
    await texts(
      mergeByTime([
        log("a", "2026-01-01T00:00:01Z", "2026-01-01T00:00:01.5Z"),
        log("b", "2026-01-01T00:00:01.123456789Z", "2026-01-01T00:00:02Z"),
      ]),
    ),
    ["a 01", "b 01.123456789", "a 01.5", "b 02"],
  );
});

lines("a time becomes seconds with all its nanoseconds", () => {
  assert.is(sinceOf("2026-01-01T00:00:01.123456789Z"), "1767225601.123456789");
  assert.is(sinceOf("2026-01-01T00:00:01.5Z"), "1767225601.500000000");
});

for (const [text, expected] of [
  ["1700000000", "1700000000"],
  ["1970-01-01T00:00:10Z", "10"],
  ["1m30s", "10"],
] as const) {
  lines(`--since ${text} is ${expected}`, () => {
    assert.is(pointInTime(text, 100_000), expected);
  });
}

lines.run();
