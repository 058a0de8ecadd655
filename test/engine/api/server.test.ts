import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Route } from "../../../engine/api/router.ts";
import { ApiServer } from "../../../engine/api/server.ts";
import { EngineError } from "../../../engine/errors.ts";
import { silentLog } from "../../../engine/log.ts";

const RAW = "application/vnd.docker.raw-stream";
const directory = mkdtempSync(join(tmpdir(), "slipway-api-"));
const socketPath = join(directory, "api.sock");

const routes: readonly Route[] = [
  {
    method: "GET",
    path: "/images/{name*}/json",
    async handle(request, reply) {
      reply.json(200, { name: request.params["name"], version: request.version });
    },
  },
  {
    method: "POST",
    path: "/echo",
    async handle(request, reply) {
      reply.json(201, await request.json<object>());
    },
  },
  {
    method: "POST",
    path: "/hijack",
    async handle(request, reply) {
      const body = request.headers["content-length"] ? await request.json<object>({}) : {};
      const connection = await reply.hijack(RAW);
      connection.write(`${JSON.stringify(body)}|`);
      for await (const chunk of connection) connection.write(String(chunk).toUpperCase());
      connection.end("|bye");
    },
  },
  {
    method: "POST",
    path: "/progress/{fault}",
    async handle(request, reply) {
      const progress = reply.progress();
      if (request.params["fault"] === "early") throw new EngineError("notFound", "no such image: x");
      progress.write({ status: "one" });
      if (request.params["fault"] === "late") throw new EngineError("system", "disk full");
      progress.end();
    },
  },
  {
    method: "POST",
    path: "/fails/{kind}",
    async handle(request) {
      throw new EngineError(request.params["kind"] as "conflict", "as asked");
    },
  },
  {
    method: "GET",
    path: "/waits",
    async handle(request, reply) {
      const body = reply.stream(200, "application/json");
      await once(request.signal, "abort");
      gone.push("left");
      body.end();
    },
  },
];

const gone: string[] = [];
const server = new ApiServer(routes, { version: "0.0.0", log: silentLog });
const test = suite("engine/api/server");
test.before(() => server.listen(socketPath));
test.after(async () => {
  await server.close(100);
  rmSync(directory, { recursive: true });
});

/** Sends text as it is, waits for `until` or the end, and returns all that came. */
async function raw(text: string, until?: string, then?: (socket: Socket) => void): Promise<string> {
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  let seen = "";
  let done = false;
  socket.write(text);
  for await (const chunk of socket) {
    seen += String(chunk);
    if (!done && until !== undefined && seen.includes(until)) {
      done = true;
      if (then === undefined) break;
      then(socket);
    }
  }
  socket.destroy();
  return seen;
}

async function call(method: string, path: string, body?: string, headers: Record<string, string> = {}) {
  const sent = request({ socketPath, method, path, headers });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [import("node:http").IncomingMessage];
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, headers: response.headers, text };
}

test("the socket's mode is 0660", () => {
  assert.is(statSync(socketPath).mode & 0o777, 0o660);
});

test("an image name may hold slashes and a port, and doubled slashes count as one", async () => {
  const { status, text } = await call("GET", "/v1.43//images/127.0.0.1:5000/my/app:1/json");
  assert.is(status, 200);
  assert.is(text, '{"name":"127.0.0.1:5000/my/app:1","version":143}\n');
});

test("every answer names the API version", async () => {
  const { headers } = await call("GET", "/nowhere");
  assert.is(headers["api-version"], "1.45");
  assert.is(headers["ostype"], "linux");
});

for (const [what, method, path, status, message] of [
  ["an unknown route", "GET", "/nowhere", 404, "page not found"],
  [
    "a newer version",
    "GET",
    "/v1.99/waits",
    400,
    "client version 1.99 is too new. Maximum supported API version is 1.45",
  ],
  ["a conflict", "POST", "/fails/conflict", 409, "as asked"],
  ["an early failure of a stream", "POST", "/progress/early", 404, "no such image: x"],
] as const) {
  test(`${what} is ${status} with a message`, async () => {
    const answer = await call(method, path);
    assert.is(answer.status, status);
    assert.is(answer.text, `${JSON.stringify({ message })}\n`);
  });
}

test("304 has no body", async () => {
  const answer = await call("POST", "/fails/notModified");
  assert.equal([answer.status, answer.text], [304, ""]);
});

test("a late failure of a stream is its last line", async () => {
  const answer = await call("POST", "/progress/late");
  assert.is(answer.status, 200);
  assert.is(
    answer.text,
    '{"status":"one"}\r\n{"errorDetail":{"message":"disk full"},"error":"disk full"}\r\n',
  );
});

test("a JSON body of another Content-Type is refused", async () => {
  const answer = await call("POST", "/echo", "{}", { "Content-Type": "text/plain" });
  assert.is(
    answer.text,
    `{"message":"unsupported Content-Type header (text/plain): must be 'application/json'"}\n`,
  );
});

test("an upgrade takes the body off first, and keeps sending after the client's end", async () => {
  const body = '{"a":1}';
  const head = `POST /hijack HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  const seen = await raw(head + body, "|", (socket) => socket.end("hello"));
  assert.is(
    seen,
    `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${RAW}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n{"a":1}|HELLO|bye`,
  );
});

test("an upgrade's body may come in a later packet, with input behind it", async () => {
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  socket.write(
    "POST /hijack HTTP/1.1\r\nHost: \r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 7\r\n\r\n",
  );
  setTimeout(() => socket.write('{"a"'), 20);
  setTimeout(() => socket.end(":1}in"), 40);
  let seen = "";
  for await (const chunk of socket) seen += String(chunk);
  assert.ok(seen.endsWith('\r\n\r\n{"a":1}|IN|bye'), seen);
});

test("without Upgrade the bytes flow under a plain 200", async () => {
  const head =
    "POST /hijack HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
  const seen = await raw(head, "{}|", (socket) => {
    socket.write("one ");
    setTimeout(() => socket.end("GET / HTTP/1.1"), 20);
  });
  assert.is(seen, `HTTP/1.1 200 OK\r\nContent-Type: ${RAW}\r\n\r\n{}|ONE GET / HTTP/1.1|bye`);
});

test("an error of a request that asked for an upgrade is plain HTTP", async () => {
  const seen = await raw("POST /nowhere HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
  assert.ok(seen.startsWith("HTTP/1.1 404 Not Found\r\n"), seen);
  assert.ok(seen.endsWith('{"message":"page not found"}\n'), seen);
});

test("a wish for h2c is overheard", async () => {
  const seen = await raw("GET /images/a/json HTTP/1.1\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n");
  assert.ok(seen.startsWith("HTTP/1.1 200 OK\r\n"), seen);
});

test("headers of a stream come at once, and a route hears when the client goes", async () => {
  await raw("GET /waits HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n");
  for (let i = 0; i < 50 && gone.length === 0; i++) await new Promise((done) => setTimeout(done, 10));
  assert.equal(gone, ["left"]);
});

test.run();
