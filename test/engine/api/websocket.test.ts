import { once } from "node:events";
import { duplexPair } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { acceptKey, frame, readFrame, WebSocketStream } from "../../../engine/api/websocket.ts";

const socket = suite("engine/api/websocket");

/** A client's frame: as the server's, with a mask. */
function masked(opcode: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const plain = frame(opcode, payload);
  const head = plain.subarray(0, plain.length - payload.length);
  head[1] = (head[1] ?? 0) | 0x80;
  const mask = Buffer.from([1, 2, 3, 4]);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ (mask[i & 3] ?? 0))]);
}

socket("the answer to a key is the RFC's", () => {
  assert.is(acceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); // RFC 6455, 1.3
});

for (const length of [0, 5, 125, 126, 65535, 65536]) {
  socket(`a message of ${length} bytes is read again`, () => {
    const found = readFrame(masked(2, "x".repeat(length)));
    assert.ok(typeof found === "object" && found.payload.equals(Buffer.from("x".repeat(length))));
  });
}

socket("a part of a message is waited for", () => {
  const whole = masked(1, "hello");
  for (let at = 0; at < whole.length; at++) assert.is(readFrame(whole.subarray(0, at)), undefined);
});

socket("a message without mask, or of more than a megabyte, is refused", () => {
  assert.is(readFrame(frame(2, Buffer.from("x"))), "refused");
  assert.is(readFrame(masked(2, "x".repeat(1024 * 1024 + 1))), "refused");
});

socket("bytes go both ways, pings are answered, and a close ends the input", async () => {
  const [ours, theirs] = duplexPair();
  const stream = new WebSocketStream(ours);
  const chunks: Buffer[] = [];
  theirs.on("data", (chunk: Buffer) => chunks.push(chunk));
  theirs.write(Buffer.concat([masked(1, "one "), masked(9, "p"), masked(2, "two"), masked(8, "")]));
  let text = "";
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) text += String(chunk);
  assert.is(text, "one two");
  stream.write("answer");
  stream.end();
  await once(stream, "finish");
  const sent = Buffer.concat([frame(10, Buffer.from("p")), frame(2, Buffer.from("answer"))]);
  const seen = Buffer.concat(chunks);
  assert.ok(seen.subarray(0, sent.length).equals(sent), seen.toString("hex"));
});

socket.run();
