/** What a person sees who made a mistake: what, where, and what to do; and nothing was touched. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CommandResult } from "../helpers/command.ts";
import { Sandbox } from "../helpers/sandbox.ts";

const errors = suite("scenario: mistakes");
let sandbox: Sandbox;
let project = 0;

errors.before(async () => {
  sandbox = await Sandbox.open();
});

errors.after(async () => {
  await sandbox.close();
});

/** Runs `slipway up -d` on a file of its own. */
async function up(text: string, ...args: string[]): Promise<CommandResult> {
  const cwd = join(sandbox.directory, `mistake${project++}`);
  mkdirSync(cwd);
  writeFileSync(join(cwd, "compose.yaml"), text);
  return await sandbox.slipway(["up", "-d", ...args], { cwd });
}

async function nothingCreated(): Promise<void> {
  assert.equal(await sandbox.client.listContainers({ all: true }), []);
  const networks = await sandbox.client.listNetworks();
  assert.equal(networks.map(({ Name }) => Name).sort(), ["bridge", "host", "none"]);
}

for (const [what, status, text, ...expected] of [
  [
    "YAML that is indented wrongly",
    15,
    'services:\n  web:\n    image: busybox\n      ports: ["80:80"]\n',
    /^COMPOSE_SYNTAX compose\.yaml:4:7 /,
    /> 4 \| {7}ports/,
    /Indent it by 4 spaces/,
  ],
  [
    "every unknown key and wrong type of a file",
    15,
    "services:\n  web:\n    image: busybox\n    prots: []\n    environment: 5\n  db:\n    imge: x\n",
    /^COMPOSE_UNKNOWN_KEY compose\.yaml:4:5 .*"prots"/,
    /Did you mean "ports"/,
    /^COMPOSE_TYPE compose\.yaml:5:18 /m,
    /^COMPOSE_UNKNOWN_KEY compose\.yaml:7:5 .*"imge"/m,
  ],
  [
    "what is used and not declared",
    15,
    "services:\n  web:\n    image: busybox\n    networks: [nope]\n    volumes: ['data:/x']\n    depends_on: [zzz]\n",
    /compose\.yaml:4:16 .*no network "nope"/,
    /compose\.yaml:5:15 .*no volume "data"/,
    /compose\.yaml:6:18 .*no service "zzz"/,
  ],
  [
    "a circle of dependencies",
    15,
    "services:\n  a: {image: busybox, depends_on: [b]}\n  b: {image: busybox, depends_on: [a]}\n",
    /^DEPENDENCY_CYCLE compose\.yaml:\d+:\d+ .*a → b → a/,
  ],
  [
    "a variable that must be set",
    15,
    "services:\n  web:\n    image: busybox:${TAG:?tell me the tag}\n",
    /^COMPOSE_VARIABLE compose\.yaml:3:20 .*TAG is required and not set: tell me the tag/,
  ],
  [
    "a build context that is not there",
    14,
    "services:\n  web:\n    build: ./nowhere\n",
    /^BUILD_CONTEXT_MISSING compose\.yaml:3:12 /,
  ],
  [
    "an image that cannot be had",
    18,
    "services:\n  web:\n    image: localhost:1/nosuch/thing:1\n",
    /IMAGE_PULL compose\.yaml:3:12 {2}localhost:1\/nosuch\/thing:1 cannot be had/,
  ],
  [
    "a RUN that fails",
    17,
    "services:\n  web:\n    build:\n      dockerfile_inline: |\n        FROM busybox\n        RUN echo before; ls /nothere; exit 3\n",
    /BUILD_FAILED/,
    /exit code: 3/,
    /│ before\n {2}│ ls: \/nothere: No such file or directory/,
  ],
] as const) {
  errors(`${what}: exit ${status}, and nothing is created`, async () => {
    const result = await up(text);
    assert.is(result.status, status, result.stderr);
    for (const pattern of expected as readonly RegExp[]) assert.match(result.stderr, pattern);
    await nothingCreated();
  });
}

errors("an unhealthy service tells its last probe and its last lines", async () => {
  const result = await up(
    `services:
  db:
    image: busybox
    command: sh -c "echo FATAL no config; sleep 1000"
    stop_signal: SIGKILL
    healthcheck: {test: "echo probe says no; exit 1", interval: 1s, retries: 2}
  web:
    image: busybox
    depends_on: {db: {condition: service_healthy}}
`,
    "--wait",
  );
  assert.is(result.status, 1);
  assert.match(result.stderr, /SERVICE_UNHEALTHY compose\.yaml:6:5 .*db is unhealthy .*"probe says no"/);
  assert.match(result.stderr, /│ FATAL no config/);
  assert.match(result.stderr, /web.*not started/);
});

errors("a job that fails tells its status and its last lines, and who needed it does not start", async () => {
  const result = await up(
    `services:
  job:
    image: busybox
    command: sh -c "echo boom; exit 4"
  web:
    image: busybox
    depends_on: {job: {condition: service_completed_successfully}}
`,
    "--wait",
  );
  assert.is(result.status, 1);
  assert.match(result.stderr, /SERVICE_EXITED compose\.yaml:4:5 .*job.* exit(ed with)? 4/);
  assert.match(result.stderr, /│ boom/);
  assert.match(result.stderr, /web.*not started/);
});

errors("a port that a container has is refused, and the container named", async () => {
  const service =
    'services:\n  web:\n    image: busybox\n    command: sleep 1000\n    stop_signal: SIGKILL\n    ports: ["8098:80"]\n';
  assert.is((await up(service)).status, 0);
  const result = await up(service);
  assert.is(result.status, 1);
  assert.match(result.stderr, /PORT_TAKEN compose\.yaml:6:13 .*8098.*mistake\d+-web-1/);
});

errors.run();
