/** Values that say nothing, and values out of range: what an unset variable or a slip leaves behind. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadTexts, mistakes } from "./memory.ts";

const nothing = suite("model: values that say nothing");

const file = (body: string): string => `services: {s: {image: i, ${body}}}`;

for (const body of [
  'network_mode: "${MODE:-}"',
  'restart: "", user: "", hostname: "", working_dir: "", pid: "", platform: ""',
  "cpus: 0, pids_limit: 0, cpu_shares: -0, mem_limit: 0",
  'dns: "", dns_search: ""',
]) {
  nothing(`{${body}} is as if it were not written`, async () => {
    const { name: _, networks, ...rest } = (await loadTexts(file(body))).services["s"]!;
    assert.equal(networks, { default: {} });
    assert.equal(
      Object.entries(rest).filter(([, value]) => !Array.isArray(value) || value.length > 0),
      [["image", "i"]],
    );
  });
}

for (const [key, value] of [
  ["env_file", "[{path: e, required: false}]"],
  ["gpus", "all"],
  ["credential_spec", "{file: f}"],
  ["command", "[a]"],
  ["ports", "[80]"],
]) {
  nothing(`${key} with nothing in a second file is accepted`, async () => {
    const texts = {
      "compose.yaml": file(`${key}: ${value}`),
      "compose.override.yaml": `services: {s: {${key}: }}`,
    };
    assert.equal(await mistakes(texts), []);
  });
}

for (const [body, expected] of [
  [
    "ports: [{published: 80}]",
    "COMPOSE_MISSING_KEY compose.yaml:1:34 services.s.ports: a port names no target",
  ],
  [
    "ports: [{target: 70000}]",
    "COMPOSE_VALUE compose.yaml:1:43 services.s.ports: the target must be a port from 1 to 65535",
  ],
  [
    'volumes: [{type: bind, source: /a, target: ""}]',
    "COMPOSE_MISSING_KEY compose.yaml:1:36 services.s.volumes: a mount names no target",
  ],
  [
    "stop_grace_period: 9999999h",
    'COMPOSE_DURATION compose.yaml:1:45 services.s.stop_grace_period: "9999999h" is longer than the engine can count',
  ],
  ["shm_size: -1", "COMPOSE_BYTES compose.yaml:1:36 services.s.shm_size: an amount of bytes is not negative"],
] as const) {
  nothing(`{${body}} is refused`, async () => assert.equal(await mistakes(file(body)), [expected]));
}

nothing("an image that is empty is none", async () =>
  assert.equal(await mistakes('services: {s: {image: "${NONE}"}}'), [
    "COMPOSE_MISSING_KEY compose.yaml:1:12 services.s has neither an image nor a build",
  ]),
);

nothing("an empty image beside a build, and an empty context, are as if they were not written", async () => {
  const { image, build } = (await loadTexts('services: {s: {image: "", build: "${NONE}"}}')).services["s"]!;
  assert.equal([image, build!.context], [undefined, "/shop"]);
});

nothing("-1 is no limit of memory", async () => {
  assert.is((await loadTexts(file("mem_limit: -1"))).services["s"]!.mem_limit, "-1");
});

nothing.run();
