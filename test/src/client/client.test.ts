import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { EngineClient } from "../../../src/client/client.ts";
import { clientOf } from "../../../src/client/connect.ts";
import { type EngineFailure, isMissing } from "../../../src/client/failures.ts";
import type { OutputChunk } from "../../../src/client/types/streams.ts";
import { rejects } from "../../helpers/rejects.ts";

/** Answers one request each as it is told, and notes what was asked. */
const asked: string[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end();
const directory = mkdtempSync(join(tmpdir(), "slipway-client-"));
const socketPath = join(directory, "engine.sock");
const server = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`);
  answer(request, response);
});
server.on("upgrade", (request, socket) => {
  asked.push(`${request.method} ${request.url} ${request.headers.upgrade}`);
  socket.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
  socket.on("data", (chunk: Buffer) => socket.end(frame(1, chunk.toString().toUpperCase())));
});

const client: EngineClient = clientOf(`unix://${socketPath}`, { socketPath });
const test = suite("src/client");
test.before(() => new Promise<void>((resolve) => server.listen(socketPath, resolve)));
test.after(() => {
  client.close();
  server.close();
  rmSync(directory, { recursive: true });
});
test.before.each(() => {
  asked.length = 0;
});

function frame(stream: number, text: string): Buffer {
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([head, Buffer.from(text)]);
}

function fail(status: number, message: string): typeof answer {
  return (_request, response) => response.writeHead(status).end(JSON.stringify({ message }));
}

async function textOf(chunks: AsyncIterable<OutputChunk>): Promise<string> {
  let text = "";
  for await (const { stream, data } of chunks) text += `${stream}:${data} `;
  return text.trim();
}

test("a filter is sent as JSON", async () => {
  answer = (_, response) => response.end("[]");
  await client.listContainers({ all: true, filters: { label: ["a=b"] } });
  assert.equal(asked, ["GET /v1.45/containers/json?all=true&filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D"]);
});

test("slashes and colons of an image's name stay", async () => {
  answer = (_, response) => response.end("{}");
  await client.inspectImage("127.0.0.1:5000/my/app:1@sha256:ab");
  assert.equal(asked, ["GET /v1.45/images/127.0.0.1:5000/my/app:1@sha256:ab/json"]);
});

test("404 says that it is missing", async () => {
  answer = fail(404, "network x not found");
  const error = await rejects(client.inspectNetwork("x"), "ENGINE_FAILED");
  assert.ok(isMissing(error));
  assert.is(error.message, "network x not found");
});

test("a port that is taken has a code of its own", async () => {
  answer = fail(500, "driver failed: Bind for 0.0.0.0:80 failed: port is already allocated");
  const error = await rejects(client.startContainer("x"), "PORT_TAKEN");
  assert.is((error as EngineFailure).status, 500);
});

test("304 is no failure", async () => {
  answer = (_, response) => response.writeHead(304).end();
  await client.stopContainer("x", { timeout: 3 });
  assert.equal(asked, ["POST /v1.45/containers/x/stop?t=3"]);
});

test("an older engine is spoken to in its own version", async () => {
  const older = clientOf(`unix://${socketPath}`, { socketPath });
  answer = (request, response) => {
    if (request.url?.startsWith("/v1.41/")) response.end("[]");
    else
      fail(400, "client version 1.45 is too new. Maximum supported API version is 1.41")(request, response);
  };
  await older.listNetworks();
  await older.listNetworks();
  older.close();
  assert.equal(asked, ["GET /v1.45/networks", "GET /v1.41/networks", "GET /v1.41/networks"]);
});

test("a pull that fails in its stream has the words of the stream", async () => {
  answer = (_, response) =>
    response.end('{"status":"Pulling"}\r\n{"errorDetail":{"message":"denied"},"error":"denied"}\r\n');
  const seen: string[] = [];
  const work = client.pullImage("a/b", { onProgress: ({ status }) => seen.push(status ?? "") });
  assert.is((await rejects(work, "IMAGE_PULL")).message, "denied");
  assert.equal(seen, ["Pulling"]);
  assert.equal(asked, ["POST /v1.45/images/create?fromImage=a%2Fb&tag=latest"]);
});

test("a build gives the image's id", async () => {
  answer = (_, response) => response.end('{"stream":"Step 1/1"}\r\n{"aux":{"ID":"sha256:ab"}}\r\n');
  assert.is(await client.buildImage({ context: { directory: "/x" } }), "sha256:ab");
  assert.equal(asked, ["POST /slipway/v1/build"]);
});

test("logs are taken apart, also where frames are cut", async () => {
  const bytes = Buffer.concat([frame(1, "one"), frame(2, "two"), frame(1, "")]);
  answer = (_, response) => {
    response.write(bytes.subarray(0, 5));
    setTimeout(() => response.write(bytes.subarray(5, 20)), 5);
    setTimeout(() => response.end(bytes.subarray(20)), 10);
  };
  assert.is(await textOf(client.logs("x", { tty: false })), "stdout:one stderr:t stderr:wo");
});

test("a terminal's logs are passed as they are", async () => {
  answer = (_, response) => response.end("one");
  assert.is(await textOf(client.logs("x", { tty: true, tail: 3 })), "stdout:one");
  assert.equal(asked, ["GET /v1.45/containers/x/logs?stdout=true&stderr=true&tail=3"]);
});

test("following ends quietly when it is aborted", async () => {
  const stop = new AbortController();
  answer = (_, response) => {
    response.write(frame(1, "one"));
    setTimeout(() => stop.abort(), 20);
  };
  assert.is(await textOf(client.logs("x", { tty: false, follow: true, signal: stop.signal })), "stdout:one");
});

test("an exec's connection carries bytes both ways", async () => {
  const { connection, output } = await client.startExec("e", { tty: false });
  connection.write("hello");
  assert.is(await textOf(output), "stdout:HELLO");
  assert.equal(asked, ["POST /v1.45/exec/e/start tcp"]);
});

test("events come one by one", async () => {
  answer = (_, response) =>
    response.end('{"Type":"container","Action":"start"}\n{"Type":"container","Action":"die"}\n');
  const actions: string[] = [];
  for await (const { Action } of await client.events()) actions.push(Action);
  assert.equal(actions, ["start", "die"]);
});

test("where nobody answers the address is named", async () => {
  const lost = clientOf("unix:///nowhere.sock", { socketPath: "/nowhere.sock" });
  const error = await rejects(lost.ping(), "ENGINE_UNREACHABLE");
  assert.is(error.message, "cannot reach the engine at unix:///nowhere.sock: nothing answers there");
});

test.run();
