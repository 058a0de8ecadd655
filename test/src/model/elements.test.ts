/** Single elements: what they become, and with which defaults. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Project } from "../../../src/model/types.ts";
import { loadTexts } from "./memory.ts";

const elements = suite("model: elements");

for (const [what, key, written, expected] of [
  ["a build of one word", "build", ".", { context: "/shop", dockerfile: "Dockerfile" }],
  [
    "a build from elsewhere",
    "build",
    "https://example.invalid/a.git#main",
    { context: "https://example.invalid/a.git#main", dockerfile: "Dockerfile" },
  ],
  [
    "a Dockerfile inline",
    "build",
    "{dockerfile_inline: FROM x}",
    { dockerfile_inline: "FROM x", context: "/shop" },
  ],
  ["keys for a build", "build.ssh", "{context: ., ssh: {default: , k: ./id}}", ["default", "k=./id"]],
  [
    "a health check of one text",
    "healthcheck",
    "{test: curl x, interval: 90s}",
    { test: ["CMD-SHELL", "curl x"], interval: "1m30s" },
  ],
  ["variables of a list", "environment", "[A=1, 'B=x=y', C]", { A: "1", B: "x=y", C: null }],
  ["labels of a list", "labels", "[a, b=c]", { a: "", b: "c" }],
  [
    "a truth value and a float as text",
    "environment",
    "{A: true, B: 1.50, C: 007}",
    { A: "true", B: "1.5", C: "7" },
  ],
  ["dependencies of a list", "depends_on", "[t]", { t: { condition: "service_started", required: true } }],
  [
    "modes in octal, however they are written",
    "secrets",
    '[{source: p, mode: "0400"}, {source: q, mode: 0440}, {source: r, mode: 256}]',
    [
      { source: "p", mode: "0400", target: "/run/secrets/p" },
      { source: "q", mode: "0440", target: "/run/secrets/q" },
      { source: "r", mode: "0400", target: "/run/secrets/r" },
    ],
  ],
  [
    "a mode of a tmpfs",
    "volumes",
    '[{type: tmpfs, target: /t/, tmpfs: {size: 1m, mode: "1777"}}]',
    [{ type: "tmpfs", target: "/t", tmpfs: { size: "1048576", mode: 0o1777 } }],
  ],
  ["a device", "devices", "[/dev/a]", [{ source: "/dev/a", target: "/dev/a", permissions: "rwm" }]],
  ["all graphics cards", "gpus", "all", [{ count: -1 }]],
  [
    "limits of one number and of two",
    "ulimits",
    '{nproc: "5", nofile: {soft: 1, hard: 2}}',
    { nproc: 5, nofile: { soft: 1, hard: 2 } },
  ],
  ["hosts by name", "extra_hosts", '{b: 2.2.2.2, a: ["::1", 1.1.1.1]}', ["a=1.1.1.1", "a=::1", "b=2.2.2.2"]],
  ["if_not_present is missing", "pull_policy", "if_not_present", "missing"],
  ["numbers of text", "pids_limit", '"7"', 7],
  ["a switch that is off is as if nobody had spoken of it", "privileged", "false", undefined],
  ["no memory is no limit", "mem_limit", "0", undefined],
  [
    "limits of deploy",
    "deploy",
    '{resources: {limits: {cpus: "0.5", memory: 1g}}}',
    { resources: { limits: { cpus: 0.5, memory: "1073741824" } } },
  ],
  [
    "options of a provider",
    "provider",
    "{type: x, options: {a: 1, b: [c, d]}}",
    { type: "x", options: { a: ["1"], b: ["c", "d"] } },
  ],
  ["no network is the default one", "networks", "{}", { default: {} }],
] as const) {
  elements(what, async () => assert.equal(await become(key, written), expected));
}

for (const [what, written, restart] of [
  ["a link", "links: ['t:alias']", true],
  ["another's network", "network_mode: 'service:t'", true],
  ["another's processes", "pid: 'service:t'", true],
  ["another's mounts", "volumes_from: ['t:ro']", false],
] as const) {
  elements(`${what} is a dependency`, async () => {
    const project = await loadTexts(`services: {s: {image: i, ${written}}, t: {image: i}}`);
    const expected = { condition: "service_started", ...(restart && { restart }), required: true };
    assert.equal(project.services["s"]!.depends_on, { t: expected });
  });
}

async function become(key: string, written: string): Promise<unknown> {
  const project = await loadTexts(
    `services: {s: {image: i, ${key.split(".")[0]}: ${written}}, t: {image: i}}\nsecrets: {p: {file: p}, q: {file: q}, r: {file: r}}`,
  );
  return key
    .split(".")
    .reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], project.services["s"]);
}

elements("a step before the start runs in the service's image, unless it names another", async () => {
  const text = "services: {s: {image: i, pre_start: [{command: a b}, {command: c, image: j}]}}";
  assert.equal((await loadTexts(text)).services["s"]!.pre_start, [
    { command: ["a", "b"], image: "i" },
    { command: ["c"], image: "j" },
  ]);
});

elements("what no service uses is left out, unless all is asked for", async () => {
  const text = "services: {s: {image: i}}\nvolumes: {v: }\nnetworks: {n: }\n";
  const names = ({ volumes, networks }: Project): string[] => [
    ...Object.keys(volumes),
    ...Object.keys(networks),
  ];
  assert.equal(names(await loadTexts(text)), ["default"]);
  assert.equal(names(await loadTexts(text, { allResources: true })), ["v", "n", "default"]);
});

elements.run();
