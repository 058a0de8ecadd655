import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadTexts } from "./memory.ts";

const lint = suite("model/lint");

/** `CODE line` of everything found in one service `s`, and more below it. */
async function found(service: string, more = ""): Promise<string[]> {
  const project = await loadTexts(
    `services:\n  s: {${service.startsWith("image") ? "" : "image: i, "}${service}}\n${more}`,
  );
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
    "a build cache of a service that the engine does not know",
    'build: {context: ., cache_from: ["type=local,src=c", "r.example/app:cache"], cache_to: ["type=inline", "type=gha"]}',
    "",
    ["CACHE_UNUSED 2"],
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
  [
    "a bind of nothing that is not to be made",
    "volumes: [{type: bind, source: ./none, target: /x, bind: {create_host_path: false}}]",
    "",
    ["NO_BIND_SOURCE 2"],
  ],
  ["a range of ports for more containers than that", 'scale: 3, ports: ["80-81:80"]', "", ["SCALED_PORT 2"]],
  [
    "a long port with several containers",
    "deploy: {replicas: 2}, ports: [{target: 80, published: 80}]",
    "",
    ["SCALED_PORT 2"],
  ],
  [
    "a long port that a short one has",
    'ports: ["80:80", {target: 81, published: 80, host_ip: 0.0.0.0}]',
    "",
    ["PORT_CLASH 2"],
  ],
  ["ports in the machine's network", 'network_mode: host, ports: ["80:80"]', "", ["HOST_PORTS 2"]],
  ["a secret whose file is not there", "secrets: [k]", "secrets: {k: {file: ./k}}", ["NO_FILE 3"]],
  ["a secret of a list", "environment: ['API_TOKEN=abc', 'TOKENS=1']", "", ["PLAIN_SECRET 2"]],
  [
    "a secret and a number of a build",
    "build: {context: ., args: {SECRET: x, V: 1.10}}",
    "",
    ["PLAIN_SECRET 2", "UNQUOTED 2"],
  ],
  [
    "the latest image of a registry, never pulled",
    "image: 'r.example:5000/a/b', pull_policy: never",
    "",
    ["LATEST_NEVER 2"],
  ],
  ["an image with a tag may be left alone", "image: 'r.example:5000/a:1', pull_policy: never", "", []],
  ["a command of a check that is cut off", "entrypoint: a > b", "", ["COMMAND_CUT 2"]],
  [
    "a warning of the loader that the service silences",
    "command: a && b, x-lint: {ignore: [COMMAND_CUT]}",
    "",
    [],
  ],
  [
    "a warning of the loader that the file silences",
    "command: a && b",
    "x-lint: {ignore: [COMMAND_CUT]}",
    [],
  ],
  [
    "what another service silences is told here",
    "command: a && b",
    "  t: {image: i, x-lint: {ignore: [COMMAND_CUT]}}",
    ["COMMAND_CUT 2"],
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
