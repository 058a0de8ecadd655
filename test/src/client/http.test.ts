import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex, Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Request } from "../../../src/client/connection.ts";
import { HttpClient } from "../../../src/client/http.ts";
import { Reply } from "../../../src/client/reply.ts";

const http = suite("src/client/http");
const directory = mkdtempSync(join(tmpdir(), "slipway-http-"));
const socketPath = join(directory, "s.sock");
let server: Server | HttpServer | undefined;
let client: HttpClient;

http.before.each(() => {
  client = new HttpClient({ socketPath });
});

http.after.each(async () => {
  client.close();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

http.after(() => rmSync(directory, { recursive: true }));

/** A server that answers each connection by hand. */
async function scripted(answer: (socket: Socket, count: number) => void): Promise<void> {
  let count = 0;
  server = createServer((socket) => {
    socket.on("error", () => {});
    answer(socket, ++count);
  }).listen(socketPath);
  await once(server, "listening");
}

/** Answers every request on a connection with the same bytes. */
function always(bytes: string): (socket: Socket) => void {
  return (socket) => void socket.on("data", () => socket.write(bytes));
}

function get(path = "/", more: Partial<Request> = {}): Request {
  return { method: "GET", path, headers: { Host: "x" }, ...more };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "none",
    (error: NodeJS.ErrnoException) => error.code ?? error.name,
  );
}

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\nx-a: 2\r\n\r\n";
const ANSWERS = [
  ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
  ["chunks", `${CHUNKED}3\r\nhel\r\n2;note=1\r\nlo\r\n0\r\nTrailer: x\r\n\r\n`],
  ["news before it", "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello"],
] as const;

for (const [what, bytes] of ANSWERS) {
  http(`a body with ${what} is read wherever it is cut, and the connection serves again`, async () => {
    let cut = 0;
    let connections = 0;
    await scripted((socket) => {
      connections += 1;
      socket.on("data", async () => {
        const at = cut % bytes.length;
        socket.write(bytes.slice(0, at));
        await sleep(1);
        socket.write(bytes.slice(at));
      });
    });
    for (cut = 0; cut < bytes.length; cut++) {
      const reply = await client.send(get());
      assert.is(`${reply.status} ${await text(reply)}`, "200 hello");
    }
    assert.is(connections, 1);
  });
}

http("a body without a length ends with the connection", async () => {
  await scripted((socket) => void socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\nall of it")));
  assert.is(await text(await client.send(get())), "all of it");
  assert.is(await text(await client.send(get())), "all of it");
});

for (const [what, method, head] of [
  ["HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
  ["204", "GET", "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n"],
  ["304", "GET", "HTTP/1.1 304 So\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["nothing", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
] as const) {
  http(`${what} has no body`, async () => {
    await scripted(always(head));
    for (let time = 0; time < 2; time++) assert.is(await text(await client.send(get("/", { method }))), "");
  });
}

for (const [what, bytes, code] of [
  ["no HTTP", "SSH-2.0-x\r\n\r\n", "EPROTO"],
  ["a chunk of no size", `${CHUNKED}zz\r\n`, "EPROTO"],
  ["a chunk longer than it said", `${CHUNKED}1\r\nab\r\n`, "EPROTO"],
  ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "EPROTO"],
  ["a head that is cut off", "HTTP/1.1 200", "ECONNRESET"],
  ["a body that is cut off", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "ECONNRESET"],
  ["chunks that are cut off", `${CHUNKED}5\r\nhello\r\n`, "ECONNRESET"],
  ["nothing at all", "", "ECONNRESET"],
] as const) {
  http(`${what} is an error`, async () => {
    await scripted((socket) => void socket.once("data", () => socket.end(bytes)));
    assert.is(await codeOf(client.send(get()).then((reply) => text(reply))), code);
  });
}

http("nobody there is an error with node's code", async () => {
  assert.is(await codeOf(client.send(get())), "ENOENT");
});

http("a connection that was closed while idle is noticed, in time or as it is taken", async () => {
  await scripted((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      socket.once("data", () => socket.destroy()); // as if it had been closed just before
    });
  });
  for (let time = 0; time < 4; time++)
    assert.is(await text(await client.send(get("/", { method: "POST", body: "{}" }))), "ok");
});

http("an abort ends a request before, during and after its answer begins", async () => {
  await scripted((socket) => {
    socket.on("data", (chunk: Buffer) => {
      if (chunk.includes("/answer")) socket.write(`${CHUNKED}5\r\nhello\r\n`);
    });
  });
  const before = AbortSignal.abort();
  assert.match(String(await client.send(get("/", { signal: before })).catch((error) => error)), "AbortError");
  const during = new AbortController();
  setTimeout(() => during.abort(new Error("enough")), 10);
  assert.is(await codeOf(client.send(get("/", { signal: during.signal }))), "Error");
  const after = new AbortController();
  const reply = await client.send(get("/answer", { signal: after.signal }));
  setTimeout(() => after.abort(new Error("enough")), 10);
  assert.match(String(await text(reply).catch((error: Error) => error)), "enough");
});

http("who reads no further ends the connection", async () => {
  let closed = false;
  await scripted((socket) => {
    socket.on("close", () => (closed = true));
    socket.once("data", () => socket.write(`${CHUNKED}5\r\nhello\r\n`));
  });
  for await (const _ of await client.send(get())) break;
  await sleep(20);
  assert.ok(closed);
});

http("an upgrade hands the connection over, with what came along; a refusal is an answer", async () => {
  await scripted((socket, count) => {
    socket.once("data", () => {
      if (count === 1) socket.end("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno");
      else socket.write("HTTP/1.1 101 UPGRADED\r\n\r\nearly,");
      socket.on("data", (chunk: Buffer) => socket.end(chunk.toString().toUpperCase()));
    });
  });
  const refused = (await client.upgrade(get())) as Reply;
  assert.is(`${refused.status} ${await text(refused)}`, "404 no");
  const connection = await client.upgrade(get());
  assert.ok(connection instanceof Duplex && !(connection instanceof Reply));
  await sleep(5);
  (connection as Duplex).write("late");
  assert.is(await text(connection), "early,LATE");
});

/** Node's own server, as the other end of what is written here. */
async function real(answer: (request: IncomingMessage, body: Buffer) => Buffer): Promise<void> {
  server = createHttpServer(async (request, response) => {
    response.end(answer(request, await buffer(request)));
  }).listen(socketPath);
  await once(server, "listening");
}

http("Node's server is understood, with bodies of all forms and sizes, beside each other", async () => {
  await real((request, body) => Buffer.concat([Buffer.from(`${request.method} ${request.url} `), body]));
  const large = Buffer.alloc(3_000_000, "large ");
  async function* pieces(): AsyncGenerator<Buffer | string> {
    for (let at = 0; at < large.length; at += 70_001) yield large.subarray(at, at + 70_001);
    yield "";
    yield "zwölf";
  }
  const bodies = [
    [undefined, ""],
    ["zwölf", "zwölf"],
    [large, large.toString()],
    [() => Readable.from(pieces()), `${large}zwölf`],
  ] as const;
  const all = bodies.flatMap((each) => [each, each, each]);
  const got = await Promise.all(
    all.map(async ([body, want]) => {
      const length = typeof body === "string" ? Buffer.byteLength(body) : (body?.length ?? 0);
      const isStream = typeof body === "function";
      const headers = { Host: "x", ...(!isStream && { "Content-Length": length }) };
      const reply = await client.send({
        method: "POST",
        path: "/p?q=%20",
        headers,
        body: isStream ? body() : body,
      });
      return (await text(reply)) === `POST /p?q=%20 ${want}`;
    }),
  );
  assert.equal(got, Array(12).fill(true));
});

http("an answer before the request is whole ends the sending", async () => {
  await scripted((socket) => {
    socket.once("data", () => socket.write("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"));
  });
  let ended = false;
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        yield Buffer.alloc(1 << 16);
        await sleep(1);
      }
    } finally {
      ended = true;
    }
  }
  const reply = await client.send(get("/", { method: "PUT", body: Readable.from(endless()) }));
  assert.is(`${reply.status} ${await text(reply)}`, "403 no");
  await sleep(20);
  assert.ok(ended);
});

http("a failure of what is sent is the request's", async () => {
  await scripted(() => {});
  const body = new Readable({ read: () => void body.destroy(new RangeError("broken")) });
  assert.is(await codeOf(client.send(get("/", { method: "PUT", body }))), "RangeError");
});

http("no line end gets into a request", async () => {
  await scripted(always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  assert.is(await codeOf(client.send(get("/a b"))), "TypeError");
  assert.is(await codeOf(client.send(get("/", { headers: { A: "1\r\nB: 2" } }))), "TypeError");
});

http.run();
