import { suite } from "uvu";
import * as assert from "uvu/assert";
import { MemoryKeeper } from "../../engine/memory.ts";

const memory = suite("engine/memory");

memory("buffers that nobody holds are collected while requests are served", async () => {
  const keeper = new MemoryKeeper();
  const waiting = setInterval(() => {}, 1000); // the keeper's own timer does not keep the process
  let most = 0;
  for (let i = 0; i < 30; i++) {
    keeper.noteRequest();
    for (let k = 0; k < 64; k++) Buffer.allocUnsafeSlow(64 * 1024).fill(k);
    await new Promise((resolve) => setTimeout(resolve, 10));
    most = Math.max(most, process.memoryUsage().arrayBuffers);
  }
  clearInterval(waiting);
  assert.ok(most < 64 << 20, `${most >> 20} MB at the most, of 120`);
});

memory.run();
