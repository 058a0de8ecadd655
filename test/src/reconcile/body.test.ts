import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Service } from "../../../src/model/types.ts";
import { containerBody } from "../../../src/reconcile/body/body.ts";
import { project } from "../project.ts";

const body = suite("reconcile/body");

function make(service: Partial<Service>, rest: Parameters<typeof project>[1] = {}) {
  const shop = project({ web: service, db: {} }, rest);
  return containerBody({
    project: shop,
    service: shop.services["web"]!,
    number: 1,
    name: "shop-web-1",
    image: "sha256:b1",
    definition: {},
    carried: {},
  });
}

body("labels and aliases are those of Compose", () => {
  const { Labels: labels = {}, NetworkingConfig } = make({
    labels: { team: "a" },
    depends_on: { db: { condition: "service_healthy", restart: true, required: true } },
  });
  assert.is(labels["team"], "a");
  assert.is(labels["com.docker.compose.project"], "shop");
  assert.is(labels["com.docker.compose.service"], "web");
  assert.is(labels["com.docker.compose.container-number"], "1");
  assert.is(labels["com.docker.compose.oneoff"], "False");
  assert.is(labels["com.docker.compose.depends_on"], "db:service_healthy:true");
  assert.match(labels["com.docker.compose.config-hash"]!, /^[0-9a-f]{64}$/);
  assert.equal(NetworkingConfig?.EndpointsConfig?.["shop_default"]?.Aliases, ["shop-web-1", "web"]);
});

body("ports are published and exposed", () => {
  const { HostConfig, ExposedPorts } = make({
    ports: [
      { target: 80, published: "8080", host_ip: "127.0.0.1", protocol: "tcp" },
      { target: 53, protocol: "udp" },
    ],
    expose: ["9000-9001"],
  });
  assert.equal(HostConfig?.PortBindings, {
    "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }],
    "53/udp": [{ HostIp: "", HostPort: "" }],
  });
  assert.equal(Object.keys(ExposedPorts ?? {}), ["80/tcp", "53/udp", "9000/tcp", "9001/tcp"]);
});

body("durations are nanoseconds, amounts bytes, CPUs billionths", () => {
  const { Healthcheck, HostConfig, StopTimeout } = make({
    healthcheck: { test: ["CMD", "true"], interval: "1m30s", retries: 3 },
    stop_grace_period: "1500ms",
    mem_limit: "1048576",
    cpus: 0.5,
  });
  assert.equal(Healthcheck, { Test: ["CMD", "true"], Interval: 90e9, Retries: 3 });
  assert.is(StopTimeout, 2);
  assert.is(HostConfig?.Memory, 1048576);
  assert.is(HostConfig?.NanoCpus, 5e8);
});

body("a disabled healthcheck takes the image's away", () => {
  assert.equal(make({ healthcheck: { disable: true } }).Healthcheck, { Test: ["NONE"] });
});

body("mounts: a short bind makes its host path, a named volume has the engine's name", () => {
  const { HostConfig } = make(
    {
      volumes: [
        { type: "bind", source: "/src", target: "/app", read_only: true },
        { type: "volume", source: "data", target: "/data" },
        { type: "volume", target: "/anonymous" },
        { type: "tmpfs", target: "/t", tmpfs: { size: "1024" } },
      ],
      secrets: [{ source: "pw" }, { source: "key", mode: "0400" }],
    },
    {
      volumes: { data: { name: "shop_data" } },
      secrets: { pw: { name: "pw", file: "/pw" }, key: { name: "key", file: "/key" } },
    },
  );
  assert.equal(HostConfig?.Binds, ["/src:/app:ro"]);
  assert.equal(HostConfig?.Mounts, [
    { Type: "volume", Target: "/data", Source: "shop_data" },
    { Type: "volume", Target: "/anonymous" },
    { Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 1024 } },
    { Type: "bind", Source: "/pw", Target: "/run/secrets/pw", ReadOnly: true },
  ] as never);
});

body("service: references name the other's container; the network mode excludes networks", () => {
  const made = make({ network_mode: "service:db", pid: "service:db", networks: {} });
  assert.is(made.HostConfig?.NetworkMode, "container:shop-db-1");
  assert.is(made.HostConfig?.PidMode, "container:shop-db-1");
  assert.is(made.NetworkingConfig, undefined);
});

for (const [what, service, expected] of [
  ["restart with a count", { restart: "on-failure:3" }, { Name: "on-failure", MaximumRetryCount: 3 }],
  ["deploy's policy", { deploy: { restart_policy: { condition: "any" } } }, { Name: "always" }],
  ["none", {}, undefined],
] as const) {
  body(`restart policy: ${what}`, () => {
    assert.equal(make(service).HostConfig?.RestartPolicy, expected);
  });
}

body("variables known nowhere are left out", () => {
  assert.equal(make({ environment: { A: "1", B: null, C: "" } }).Env, ["A=1", "C="]);
});

body.run();
