import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Follower } from "../../../src/verbs/follow.ts";
import { fakeEngine } from "../engine.ts";

const follow = suite("verbs/follow");

const web = { id: "c1", source: "web-1", service: "web" };
const line = (second: number, text: string) => ({
  stream: "stdout" as const,
  data: Buffer.from(`2026-01-01T00:00:0${second}.000000001Z ${text}\n`),
});

follow("history comes once: what is read again by the nanosecond is left out", async () => {
  const asked: string[] = [];
  const engine = fakeEngine({
    async *logs(_id, { follow: live, since } = {}) {
      asked.push(`${live ? "live" : "history"} ${since ?? ""}`.trim());
      yield line(1, "old");
      if (live) yield line(2, "new");
    },
  });
  const texts: string[] = [];
  for await (const { text } of new Follower(engine, new AbortController().signal).run([web], { tail: "all" }))
    texts.push(text);
  assert.equal(texts, ["old", "new"]);
  assert.equal(asked, ["history", "live 1767225601.000000001"]);
});

follow(
  "a container that starts anew is followed again, even if its last log is still being read",
  async () => {
    const reads: PromiseWithResolvers<void>[] = [];
    const engine = fakeEngine({
      async *logs(_id, { follow: live } = {}) {
        if (!live) return;
        const end = Promise.withResolvers<void>();
        reads.push(end);
        yield line(reads.length, `run ${reads.length}`);
        await end.promise;
      },
    });
    const follower = new Follower(engine, new AbortController().signal);
    const texts: string[] = [];
    const reading = (async () => {
      for await (const { text } of follower.run([web], { tail: "all" })) {
        texts.push(text);
        if (text === "run 1") {
          follower.follow(web, "1767225602.000");
          reads[0]!.resolve();
        } else {
          reads[1]!.resolve();
        }
      }
    })();
    await reading;
    assert.equal(texts, ["run 1", "run 2"]);
  },
);

follow.run();
