/** What dockerode, docker-py and Testcontainers do on the wire, request by request. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Sandbox } from "../helpers/sandbox.ts";

const wire = suite("contract/raw");
let sandbox: Sandbox;
wire.before(async () => {
  sandbox = await Sandbox.open();
});
wire.after(() => sandbox?.close());

/** Sends a request and resolves with the answer's head. */
async function open(
  method: string,
  path: string,
  body?: object,
  headers: object = {},
): Promise<IncomingMessage> {
  const sent = request({
    socketPath: sandbox.socket,
    method,
    path,
    headers: { ...(body && { "Content-Type": "application/json" }), ...headers },
  });
  sent.end(body && JSON.stringify(body));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return response;
}

async function call(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
  const response = await open(method, path, body);
  return { status: response.statusCode ?? 0, text: await all(response) };
}

async function all(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function create(body: object): Promise<string> {
  const { status, text } = await call("POST", "/containers/create", { Image: "busybox", ...body });
  assert.is(status, 201, text);
  return (JSON.parse(text) as { Id: string }).Id;
}

/** Sends a request as it is and gives back all that comes, once the connection ends. */
async function raw(text: string, input?: string): Promise<string> {
  const socket = connect({ path: sandbox.socket, allowHalfOpen: true });
  socket.write(text);
  if (input !== undefined) {
    await once(socket, "readable");
    socket.end(input);
  }
  return all(socket);
}

const framed = (text: string): string => `\u0001\0\0\0\0\0\0${String.fromCharCode(text.length)}${text}`;

wire("exec without Upgrade is a plain 200 whose body ends with the program", async () => {
  const id = await create({ Cmd: ["sleep", "1000"] });
  assert.is((await call("POST", `/containers/${id}/start`)).status, 204);
  assert.is((await call("POST", `/containers/${id}/start`)).status, 304);
  const body = { AttachStdout: true, AttachStderr: true, Cmd: ["echo", "hi"] };
  const exec = JSON.parse((await call("POST", `/containers/${id}/exec`, body)).text) as { Id: string };
  const response = await open("POST", `/exec/${exec.Id}/start`, { Detach: false, Tty: false });
  assert.is(response.headers["content-type"], "application/vnd.docker.raw-stream");
  assert.is(response.headers["content-length"], undefined);
  assert.is(response.headers["transfer-encoding"], undefined);
  assert.is(await all(response), framed("hi\n"));
  const state = JSON.parse((await call("GET", `/exec/${exec.Id}/json`)).text) as { ExitCode: number };
  assert.is(state.ExitCode, 0);
  assert.is((await call("DELETE", `/containers/${id}?force=1`)).status, 204);
});

wire("attach to a container before it is started, with a body that is no input", async () => {
  const id = await create({ Cmd: ["cat"], OpenStdin: true, StdinOnce: true, AttachStdin: true });
  const body = '{"stream":true,"stdin":true,"stdout":true,"hijack":true}';
  const head = [
    `POST /containers/${id}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1`,
    "Host: docker",
    "Content-Type: application/json",
    "Connection: Upgrade",
    "Upgrade: tcp",
    `Content-Length: ${body.length}`,
  ].join("\r\n");
  const seen = raw(`${head}\r\n\r\n${body}`, "typed");
  await new Promise((done) => setTimeout(done, 100));
  assert.is((await call("POST", `/containers/${id}/start`)).status, 204);
  assert.ok((await seen).endsWith(`\r\n\r\n${framed("typed")}`), await seen);
  await call("POST", `/containers/${id}/wait`); // output ends before the exit is known
  assert.is((await call("DELETE", `/containers/${id}?v=true`)).status, 204);
});

wire("a page attaches by WebSocket", async () => {
  const id = await create({ Cmd: ["sh", "-c", "read line; echo got $line"], OpenStdin: true, Tty: true });
  const head = [
    `GET /containers/${id}/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1`,
    "Host: docker",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
  ].join("\r\n");
  const socket = connect({ path: sandbox.socket });
  socket.write(`${head}\r\n\r\n`);
  await once(socket, "readable");
  assert.is((await call("POST", `/containers/${id}/start`)).status, 204);
  // A masked frame of text, with a mask of zeros.
  socket.write(Buffer.concat([Buffer.from([0x81, 0x86, 0, 0, 0, 0]), Buffer.from("words\n")]));
  const seen = await all(socket);
  assert.match(seen, /^HTTP\/1\.1 101 [\s\S]*\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
  assert.match(seen, /got words/);
  await call("DELETE", `/containers/${id}?force=1`);
});

wire("wait answers its head at once and its body at the exit, also for one that removes itself", async () => {
  const id = await create({ Cmd: ["sh", "-c", "exit 9"], HostConfig: { AutoRemove: true } });
  const response = await open("POST", `/containers/${id}/wait?condition=removed`);
  assert.is(response.statusCode, 200);
  await call("POST", `/containers/${id}/start`);
  assert.is((JSON.parse(await all(response)) as { StatusCode: number }).StatusCode, 9);
  assert.is((await call("GET", `/containers/${id}/json`)).status, 404);
});

wire("following the logs of a silent container begins at once and ends with it", async () => {
  const id = await create({ Cmd: ["sleep", "0.3"] });
  await call("POST", `/containers/${id}/start`);
  const response = await open(
    "GET",
    `/containers/${id}/logs?follow=true&stdout=true&stderr=true&tail=-1&since=0`,
  );
  assert.is(response.statusCode, 200);
  assert.is(await all(response), "");
  await call("DELETE", `/containers/${id}?force=1`);
});

wire("ports without a protocol, HostPort 0, and unknown fields are taken", async () => {
  const id = await create({
    Cmd: ["sleep", "1000"],
    ExposedPorts: { "8080": {} },
    HostConfig: { PortBindings: { "8080": [{ HostPort: "0" }] }, NewField: 1 },
  });
  assert.is((await call("POST", `/containers/${id}/start`)).status, 204);
  const state = JSON.parse((await call("GET", `/containers/${id}/json`)).text) as {
    NetworkSettings: { Ports: Record<string, { HostPort: string }[]> };
  };
  assert.match(state.NetworkSettings.Ports["8080/tcp"]?.[0]?.HostPort ?? "", /^[1-9]\d+$/);
  await call("DELETE", `/containers/${id}?force=1`);
});

for (const [what, method, path, status, message] of [
  ["an unknown container", "GET", "/containers/nobody/json", 404, "No such container: nobody"],
  ["an unknown image", "GET", "/images/nothing/json", 404, "No such image: nothing:latest"],
  ["an unknown network", "GET", "/networks/nowhere", 404, "network nowhere not found"],
  ["an unknown volume", "GET", "/volumes/none", 404, "get none: no such volume"],
  ["an unknown exec", "GET", "/exec/none/json", 404, "No such exec instance: none"],
  ["a wrong filter", "GET", '/containers/json?filters={"colour":["red"]}', 400, "invalid filter 'colour'"],
  ["a wrong condition", "POST", "/containers/nobody/wait?condition=x", 400, 'invalid condition: "x"'],
  [
    "a predefined network's removal",
    "DELETE",
    "/networks/bridge",
    403,
    "bridge is a pre-defined network and cannot be removed",
  ],
] as const) {
  wire(`${what} is ${status}`, async () => {
    const answer = await call(method, encodeURI(path));
    assert.equal([answer.status, answer.text], [status, `${JSON.stringify({ message })}\n`]);
  });
}

wire.run();
