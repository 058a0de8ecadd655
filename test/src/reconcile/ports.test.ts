import { readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { buildGraph } from "../../../src/graph/graph.ts";
import type { Port, Service } from "../../../src/model/types.ts";
import { PLAN_DEFAULTS } from "../../../src/reconcile/options.ts";
import { planUp } from "../../../src/reconcile/plan.ts";
import { portConflicts } from "../../../src/reconcile/ports.ts";
import { fakeEngine } from "../engine.ts";
import { NOTHING } from "../observed.ts";
import { project } from "../project.ts";

const ports = suite("reconcile/ports");

const port = (published: string, rest: Partial<Port> = {}): Port => ({
  target: 80,
  protocol: "tcp",
  published,
  ...rest,
});

async function conflicts(
  services: Readonly<Record<string, Partial<Service>>>,
  running: readonly object[] = [],
  sameNamespace = false,
): Promise<string[]> {
  const shop = project(services);
  const engine = fakeEngine({
    listContainers: async () => running as never,
    version: async () =>
      ({
        Components: [
          {
            Name: "Slipway",
            Details: { NetworkNamespace: sameNamespace ? readlinkSync("/proc/self/ns/net") : "net:[1]" },
          },
        ],
      }) as never,
  });
  const plan = planUp(buildGraph(shop), NOTHING, PLAN_DEFAULTS);
  return (await portConflicts(shop, plan, engine)).map(({ message }) => message);
}

const other = {
  Id: "c1",
  Names: ["/blog-web-1"],
  Labels: { "com.docker.compose.project": "blog", "com.docker.compose.project.working_dir": "/home/me/blog" },
  Ports: [{ IP: "127.0.0.1", PublicPort: 8080, PrivatePort: 80, Type: "tcp" }],
};

ports("a port of another project's container is refused, with its origin", async () => {
  assert.equal(await conflicts({ web: { ports: [port("8080")] } }, [other]), [
    "web: port 8080 is taken by container blog-web-1 (project blog, /home/me/blog)",
  ]);
});

for (const [what, given] of [
  ["another address", port("8080", { host_ip: "127.0.0.2" })],
  ["another protocol", port("8080", { protocol: "udp" })],
  ["a range, of which the engine takes what is free", port("8080-8090")],
] as const) {
  ports(`${what} is none of its`, async () => {
    assert.equal(await conflicts({ web: { ports: [given] } }, [other]), []);
  });
}

ports("two services cannot publish the same port, nor all containers of one", async () => {
  assert.equal(await conflicts({ a: { ports: [port("9000")] }, b: { ports: [port("9000")] } }), [
    "a and b both publish port 9000",
  ]);
  assert.equal(await conflicts({ a: { ports: [port("9000")], scale: 2 } }), [
    "a: its containers cannot all publish port 9000",
  ]);
});

ports("a port that a process of this machine listens on is refused, with the process", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port: number } = server.address() as { port: number };
  try {
    const [message] = await conflicts({ web: { ports: [port(String(number))] } }, [], true);
    assert.match(message ?? "", `is taken by pid ${process.pid} `);
    assert.equal(await conflicts({ web: { ports: [port(String(number))] } }, [], false), []);
  } finally {
    server.close();
  }
});

ports.run();
