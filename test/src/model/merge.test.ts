import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Service } from "../../../src/model/types.ts";
import { loadTexts } from "./memory.ts";

const merge = suite("model/merge");

/** Two files, each one service `s`, the second over the first. */
async function merged(base: string, over: string): Promise<Service> {
  const project = await loadTexts(
    { "a.yaml": `services: {s: {image: i, ${base}}}`, "b.yaml": `services: {s: {${over}}}` },
    { files: ["a.yaml", "b.yaml"] },
  );
  return project.services["s"]!;
}

for (const [what, base, over, pick, expected] of [
  [
    "maps merge deeply",
    "healthcheck: {test: x, retries: 1}",
    "healthcheck: {retries: 2}",
    (s: Service) => s.healthcheck,
    { test: ["CMD-SHELL", "x"], retries: 2 },
  ],
  ["null keeps the base", "hostname: h", "hostname: null", (s: Service) => s.hostname, "h"],
  ["a command is replaced", "command: a b", "command: [c]", (s: Service) => s.command, ["c"]],
  [
    "a command that is given without a value is the image's again",
    "command: a b",
    "command: null",
    (s: Service) => s.command,
    undefined,
  ],
  ["lists are appended", "dns: 1.1.1.1", "dns: [2.2.2.2]", (s: Service) => s.dns, ["1.1.1.1", "2.2.2.2"]],
  [
    "what is listed twice is kept once",
    "cap_add: [A, B]",
    "cap_add: [B, C]",
    (s: Service) => s.cap_add,
    ["A", "B", "C"],
  ],
  [
    "security options are kept once, though docker refuses them",
    "security_opt: [a]",
    "security_opt: [a, b]",
    (s: Service) => s.security_opt,
    ["a", "b"],
  ],
  [
    "variables merge across forms, also by nothing",
    "environment: {A: 1, B: 2}",
    "environment: [B=3, A]",
    (s: Service) => s.environment,
    { A: null, B: "3" },
  ],
  [
    "a port takes the place of the same port",
    'ports: ["80:80", "81:81"]',
    'ports: ["80:80/tcp", "82:82"]',
    (s: Service) => s.ports?.map(({ published }) => published),
    ["80", "81", "82"],
  ],
  [
    "a mount replaces the one on its target, in its place",
    "volumes: [/a, /b]",
    "volumes: [./x:/a]",
    (s: Service) => s.volumes?.map(({ type, target }) => `${type} ${target}`),
    ["bind /a", "volume /b"],
  ],
  [
    "both addresses of a host stay",
    "extra_hosts: [h=1.1.1.1]",
    "extra_hosts: {h: 2.2.2.2}",
    (s: Service) => s.extra_hosts,
    ["h=1.1.1.1", "h=2.2.2.2"],
  ],
  [
    "a driver's options go with the driver",
    "logging: {driver: x, options: {a: b}}",
    "logging: {driver: y}",
    (s: Service) => s.logging,
    { driver: "y" },
  ],
  ["!reset takes a list away", 'ports: ["80:80"]', "ports: !reset []", (s: Service) => s.ports, undefined],
  [
    "!reset takes one variable away, also of a list",
    "environment: [A=1, B=2]",
    "environment: {A: !reset null}",
    (s: Service) => s.environment,
    { B: "2" },
  ],
  [
    "!override takes the place whole",
    "environment: {A: 1}",
    "environment: !override {B: 2}",
    (s: Service) => s.environment,
    { B: "2" },
  ],
] as const) {
  merge(what, async () =>
    assert.equal((pick as (service: Service) => unknown)(await merged(base, over)), expected),
  );
}

merge("a third file may set again what the second took away", async () => {
  const texts = {
    "a.yaml": 'services: {s: {image: i, ports: ["1:1"]}}',
    "b.yaml": "services: {s: {ports: !reset []}}",
    "c.yaml": 'services: {s: {ports: ["2:2"]}}',
  };
  const project = await loadTexts(texts, { files: ["a.yaml", "b.yaml", "c.yaml"] });
  assert.equal(
    project.services["s"]!.ports?.map(({ target }) => target),
    [2],
  );
});

merge("!reset of a whole service takes it away", async () => {
  const project = await loadTexts(
    { "a.yaml": "services: {s: {image: i}, t: {image: i}}", "b.yaml": "services: {t: !reset null}" },
    { files: ["a.yaml", "b.yaml"] },
  );
  assert.equal(Object.keys(project.services), ["s"]);
});

merge("address pools are told apart by their subnet", async () => {
  const service = "services: {s: {image: i, networks: [n]}}\n";
  const texts = {
    "a.yaml": `${service}networks: {n: {ipam: {config: [{subnet: 10.0.0.0/8, gateway: 10.0.0.1}]}}}`,
    "b.yaml":
      "networks: {n: {ipam: {config: [{subnet: 10.0.0.0/8, ip_range: 10.1.0.0/16}, {subnet: 11.0.0.0/8}]}}}",
  };
  const project = await loadTexts(texts, { files: ["a.yaml", "b.yaml"] });
  assert.equal(project.networks["n"]!.ipam?.config, [
    { subnet: "10.0.0.0/8", gateway: "10.0.0.1", ip_range: "10.1.0.0/16" },
    { subnet: "11.0.0.0/8" },
  ]);
});

merge.run();
