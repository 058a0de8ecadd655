import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { probeOutside, probePort } from "../../../engine/networks/portprobe.ts";
import { Ports, type PublishedPort, portRequests } from "../../../engine/networks/ports.ts";
import type { AttachRequest } from "../../../engine/networks/types.ts";

const ports = suite("engine/networks/ports");

/** Each port as `80/tcp: 0.0.0.0:8080, :8081`, an exposed one as `80/tcp:`. */
function print(request: Partial<AttachRequest>): string[] {
  return portRequests({ id: "", name: "", hostname: "", mode: "", ...request }).map(
    ({ port, protocol, bindings }) =>
      `${port}/${protocol}: ${bindings.map(({ HostIp = "", HostPort = "" }) => `${HostIp}:${HostPort}`).join(", ")}`,
  );
}

for (const [what, request, printed] of [
  ["a key without protocol is tcp", { portBindings: { "80": [{ HostPort: "8080" }] } }, ["80/tcp: :8080"]],
  [
    "a range is one port each",
    { portBindings: { "80-82/udp": [{ HostPort: "" }] } },
    ["80/udp: :", "81/udp: :", "82/udp: :"],
  ],
  ["no binding is any port", { portBindings: { "80/tcp": null } }, ["80/tcp: :"]],
  [
    "several bindings",
    { portBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "1" }, { HostPort: "2" }] } },
    ["80/tcp: 127.0.0.1:1, :2"],
  ],
  ["exposed ports are not published", { exposedPorts: ["80/tcp", "53/udp"] }, ["80/tcp: ", "53/udp: "]],
  ["unless all are", { exposedPorts: ["80/tcp"], publishAll: true }, ["80/tcp: :"]],
  [
    "a binding goes before",
    { exposedPorts: ["80"], publishAll: true, portBindings: { "80/tcp": [{ HostPort: "8" }] } },
    ["80/tcp: :8"],
  ],
] as const) {
  ports(what, () => assert.equal(print(request), printed));
}

for (const key of ["", "0", "70000", "80/icmp", "90-80", "80/tcp/udp", "../80"]) {
  ports(`the port ${JSON.stringify(key)} is refused`, () =>
    assert.throws(() => print({ portBindings: { [key]: [{}] } }), /invalid port specification/),
  );
}

const owner = (name: string) => ({ name, endpointId: "e1" });
const tcp = (hostAddress: string, HostPort: string) => [
  { port: 80, protocol: "tcp" as const, bindings: [{ HostIp: hostAddress, HostPort }] },
];
const shown = (published: readonly PublishedPort[]): string[] =>
  published.map(({ hostAddress, hostPort }) => `${hostAddress}:${hostPort}`);

async function refused(work: Promise<unknown>, words: RegExp): Promise<void> {
  const reason = await work.then(
    () => "nothing was refused",
    (error: Error) => error.message,
  );
  assert.match(reason, words);
}

/** A port of loopback that nobody has. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

ports("a port has one holder, on overlapping addresses", async () => {
  const port = await freePort();
  const all = new Ports(["127.0.0.1"], probePort);
  await all.claim(owner("web"), tcp("127.0.0.1", port), "");
  await refused(
    all.claim(owner("rival"), tcp("127.0.0.1", port), ""),
    /port is already allocated \(by container web\)/,
  );
  await refused(all.claim(owner("rival"), tcp("0.0.0.0", port), ""), /Bind for 0\.0\.0\.0:\d+ failed/);
  assert.equal(shown(await all.claim(owner("other"), tcp("127.0.0.2", port), "")), [`127.0.0.2:${port}`]);
});

ports("a claim that fails keeps nothing", async () => {
  const [taken, free] = [await freePort(), await freePort()];
  const all = new Ports(["127.0.0.1"], probePort);
  await all.claim(owner("web"), tcp("127.0.0.1", taken), "");
  await refused(
    all.claim(owner("rival"), [...tcp("127.0.0.1", free), ...tcp("127.0.0.1", taken)], ""),
    /web/,
  );
  assert.equal(shown(await all.claim(owner("third"), tcp("127.0.0.1", free), "")), [`127.0.0.1:${free}`]);
});

ports("of a range the first free one is taken", async () => {
  const port = Number(await freePort());
  const all = new Ports(["127.0.0.1"], probePort);
  all.restore("web", [{ protocol: "tcp", port: 80, hostAddress: "127.0.0.1", hostPort: port }]);
  const [published] = await all.claim(owner("next"), tcp("127.0.0.1", `${port}-${port + 20}`), "");
  assert.ok(published !== undefined && published.hostPort > port && published.hostPort <= port + 20);
});

ports("a port that leaves is waited for", async () => {
  const port = await freePort();
  const all = new Ports(["127.0.0.1"], probePort);
  const first = await all.claim(owner("old"), tcp("127.0.0.1", port), "");
  const gone = Promise.withResolvers<void>();
  all.release(first, gone.promise);
  let done = false;
  const second = all.claim(owner("new"), tcp("127.0.0.1", port), "").then((published) => {
    done = true;
    return published;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.not.ok(done);
  gone.resolve();
  assert.equal(shown(await second), [`127.0.0.1:${port}`]);
});

ports("a port that another program has is refused with its name", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  try {
    const claim = new Ports(["127.0.0.1"], probePort).claim(owner("web"), tcp("", String(port)), "");
    await refused(claim, new RegExp(`bind: address already in use \\(by process ${process.pid}: .*node`));
  } finally {
    server.close();
  }
});

ports("a rootless engine has its process outside try", async () => {
  const directory = mkdtempSync(join(tmpdir(), "slw-outside-"));
  const path = join(directory, "outside.sock");
  const server = createServer((connection) => {
    connection.once("data", (request) => {
      connection.end(
        String(request).startsWith("tcp 0.0.0.0 80") ? Buffer.of(0x65, 98, 0, 0, 0) : Buffer.of(0),
      );
    });
  }).listen(path);
  await new Promise((resolve) => server.once("listening", resolve));
  try {
    assert.is(await probeOutside(path)("tcp", "0.0.0.0", 80), "EADDRINUSE");
    assert.is(await probeOutside(path)("udp", "0.0.0.0", 81), undefined);
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
});

ports.run();
