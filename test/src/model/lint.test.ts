import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadTexts } from "./memory.ts";

const lint = suite("model/lint");

/** `CODE line` of everything found in one service `s`, and more below it. */
async function found(service: string, more = ""): Promise<string[]> {
  const project = await loadTexts(`services:\n  s: {image: i, ${service}}\n${more}`);
  return [...project.warnings, ...project.lint()].map(({ code, at }) => `${code} ${at?.line}`);
}

for (const [what, service, more, codes] of [
  ["a command that is cut off", "command: echo a && b", "", ["COMMAND_CUT 2"]],
  [
    "waiting for a service without a healthcheck",
    "depends_on: {t: {condition: service_healthy}}",
    "  t: {image: i}",
    ["NO_HEALTHCHECK 2"],
  ],
  [
    "a service that is built may have its check in the Dockerfile",
    "depends_on: {t: {condition: service_healthy}}",
    "  t: {build: .}",
    [],
  ],
  [
    "a check that is taken away",
    "depends_on: {t: {condition: service_healthy}}",
    "  t: {build: ., healthcheck: {disable: true}}",
    ["NO_HEALTHCHECK 2"],
  ],
  ["one port for two services", 'ports: ["80:80"]', '  t: {image: i, ports: ["80:81"]}', ["PORT_CLASH 3"]],
  [
    "one port on two addresses is fine",
    'ports: ["127.0.0.1:80:80"]',
    '  t: {image: i, ports: ["127.0.0.2:80:81"]}',
    [],
  ],
  [
    "a build cache that is no directory",
    'build: {context: ., cache_from: ["type=local,src=c", "r.example/app:cache"], cache_to: ["type=inline"]}',
    "",
    ["CACHE_UNUSED 2", "CACHE_UNUSED 2"],
  ],
  ["a fixed port with several containers", 'scale: 2, ports: ["80:80"]', "", ["SCALED_PORT 2"]],
  [
    "volumes and networks that nobody uses",
    "hostname: h",
    "volumes: {data: }\nnetworks: {back: }",
    ["UNUSED 3", "UNUSED 4"],
  ],
  ["a volume of one letter", "volumes: ['v:/v']", "", ["ONE_LETTER_VOLUME 2"]],
  [
    "numbers and dates without quotes",
    "environment: {A: 1.10, B: 0123, C: 2024-01-02, D: 5}",
    "",
    ["UNQUOTED 2", "UNQUOTED 2", "UNQUOTED 2"],
  ],
  ["the latest image that is never pulled", "pull_policy: never", "", ["LATEST_NEVER 2"]],
  ["a secret for all to read", "environment: {DB_PASSWORD: geheim}", "", ["PLAIN_SECRET 2"]],
  ["a dollar sign in a password", "environment: {DB_PASSWORD: a$bc}", "", ["VARIABLE_UNSET 2", "DOLLAR 2"]],
  ["a bind of nothing", "volumes: [./none:/x]", "", ["NO_BIND_SOURCE 2"]],
  ["an unknown mount option", "volumes: ['/:/x:bogus']", "", ["MOUNT_OPTION 2"]],
  ["an unknown restart policy", "restart: sometimes", "", ["RESTART 2"]],
  ["a port that is none", "expose: [web]", "", ["EXPOSE 2"]],
  ["a label of the program's own", "labels: {com.docker.compose.project: x}", "", ["RESERVED_LABEL 2"]],
  [
    "what an external network cannot have",
    "networks: [n]",
    "networks: {n: {external: true, driver: bridge}}",
    ["EXTERNAL_IGNORED 3"],
  ],
  ["a rule that the service silences", "restart: sometimes, x-lint: {ignore: [RESTART]}", "", []],
  ["a rule that the file silences", "restart: sometimes", "x-lint: {ignore: [RESTART]}", []],
] as const) {
  lint(what, async () => assert.equal(await found(service, more), codes));
}

lint("an obsolete version is told once", async () => {
  const project = await loadTexts("version: '3'\nservices: {s: {image: i}}");
  assert.equal(
    project.warnings.map(({ code, at }) => `${code} ${at?.line}`),
    ["VERSION_OBSOLETE 1"],
  );
});

lint.run();
