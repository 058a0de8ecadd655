import { suite } from "uvu";
import * as assert from "uvu/assert";
import { failure, mistakes } from "./memory.ts";

const errors = suite("model: mistakes");

errors("all mistakes of a file are told at once, in its order", async () => {
  const text = `services:
  web:
    imagee: nginx
    ports: 80
    user: 1000
    environment:
      A: [1]
    depends_on:
      db: {condition: service_helthy}
  db:
    image: postgres
    scale: many
servces: {}
`;
  assert.equal(await mistakes(text), [
    'COMPOSE_UNKNOWN_KEY compose.yaml:3:5 services.web: unknown key "imagee"',
    "COMPOSE_TYPE compose.yaml:4:12 services.web.ports must be a list, not a number",
    "COMPOSE_TYPE compose.yaml:5:11 services.web.user must be text, not a number",
    "COMPOSE_TYPE compose.yaml:7:10 services.web.environment.A must be text, a number or true or false, not a list",
    'COMPOSE_VALUE compose.yaml:9:23 services.web.depends_on.db.condition: "service_helthy" is none of service_started, service_healthy, service_completed_successfully',
    'COMPOSE_TYPE compose.yaml:12:12 services.db.scale: "many" is not an integer',
    'COMPOSE_UNKNOWN_KEY compose.yaml:13:1 unknown key "servces" at the top level',
  ]);
});

errors("the frame shows the line with a caret below what is meant, the hint what to do", async () => {
  const { frame, hint } = await failure("services:\n  web:\n    imagee: nginx\n    command: x\n");
  assert.is(
    frame,
    [
      "  1 | services:",
      "  2 |   web:",
      "> 3 |     imagee: nginx",
      "    |     ^^^^^^",
      "  4 |     command: x",
    ].join("\n"),
  );
  assert.is(hint, 'Did you mean "image"?');
});

for (const [what, text, expected] of [
  [
    "an undefined network",
    "services:\n  a: {image: i, networks: [bck]}\nnetworks: {back: {}}",
    'COMPOSE_UNDEFINED compose.yaml:2:28 services.a.networks: there is no network "bck"',
  ],
  [
    "an undefined volume",
    "services:\n  a:\n    image: i\n    volumes: [data:/x]",
    'COMPOSE_UNDEFINED compose.yaml:4:15 services.a.volumes.0: there is no volume "data"',
  ],
  [
    "an undefined service",
    "services:\n  a: {image: i, depends_on: [zz]}",
    'COMPOSE_UNDEFINED compose.yaml:2:30 services.a depends on zz: there is no service "zz"',
  ],
  [
    "an undefined secret",
    "services:\n  a: {image: i, secrets: [pw]}",
    'COMPOSE_UNDEFINED compose.yaml:2:27 services.a.secrets: there is no secret "pw"',
  ],
  [
    "a dependency cycle",
    "services:\n  a: {image: i, depends_on: [b]}\n  b: {image: i, links: [c]}\n  c: {image: i, depends_on: [a]}",
    "DEPENDENCY_CYCLE compose.yaml:4:30 services depend on each other in a circle: a → b → c → a",
  ],
  [
    "a disabled dependency",
    "services:\n  a: {image: i, depends_on: [b]}\n  b: {image: i, profiles: [p]}",
    "COMPOSE_PROFILE compose.yaml:2:30 services.a depends on b, which no active profile enables",
  ],
  [
    "a missing variable",
    "services:\n  a: {image: 'x:${TAG:?name one}'}",
    "COMPOSE_VARIABLE compose.yaml:2:17 services.a.image: TAG is required and not set: name one",
  ],
  [
    "a bad template",
    "services:\n  a: {image: 'x:${TAG!}'}",
    "COMPOSE_INTERPOLATION compose.yaml:2:17 services.a.image: invalid interpolation format: ${TAG!}",
  ],
  [
    "no image",
    "services:\n  a: {command: x}",
    "COMPOSE_MISSING_KEY compose.yaml:2:3 services.a has neither an image nor a build",
  ],
  [
    "a volume of one declared letter",
    "services:\n  a: {image: i, volumes: ['v:/v']}\nvolumes: {v: {}}",
    'COMPOSE_VALUE compose.yaml:2:27 services.a.volumes.0: "v:" is read as the letter of a Windows drive',
  ],
  [
    "bytes beyond what can be counted",
    "services:\n  a: {image: i, mem_limit: 9223372036854775807}",
    'COMPOSE_BYTES compose.yaml:2:28 services.a.mem_limit: "9223372036854775807" is not an amount of bytes',
  ],
  [
    "a duration without a unit",
    "services:\n  a: {image: i, stop_grace_period: '90'}",
    'COMPOSE_DURATION compose.yaml:2:36 services.a.stop_grace_period: "90" is not a duration',
  ],
  [
    "an env file that is not there",
    "services:\n  a: {image: i, env_file: x.env}",
    "ENV_FILE_MISSING compose.yaml:2:27 services.a.env_file: there is no file x.env",
  ],
  ["an empty file", "", "COMPOSE_SYNTAX compose.yaml:1:1 the file is empty"],
  [
    "a key given twice",
    "services:\n  a:\n    image: i\n    image: j",
    'COMPOSE_SYNTAX compose.yaml:4:5 "image" is given twice',
  ],
] as const) {
  errors(`${what} is told with its place`, async () => assert.equal(await mistakes(text), [expected]));
}

errors("the profile that would help is named", async () => {
  const { hint } = await failure(
    "services: {a: {image: i, depends_on: [b]}, b: {image: i, profiles: [debug]}}",
  );
  assert.is(hint, "Enable it with --profile debug, or say `required: false`.");
});

for (const [what, text, message] of [
  ["a tab", "services:\n\ta: x", "a tab indents this line"],
  [
    "a line further out",
    "services:\n  a:\n    image: i\n   command: x",
    "this line is indented by 3 spaces, and no block above is",
  ],
  [
    "a line further in",
    "services:\n  a:\n    image: i\n      command: x",
    "this line is indented more than the one above, which has its value already",
  ],
  ["a missing colon", "services:\n  a:\n    image i\n    command: x", "this line has no colon"],
  ["a missing space", "services:\n  a:\n    image:i\n    command: x", "there is no space after the colon"],
  [
    "an open bracket",
    "services:\n  a:\n    command: [a, b\n    image: i",
    "a bracket is opened here and never closed",
  ],
  [
    "an open quote",
    'services:\n  a:\n    image: "i\n    command: x',
    "a quote is opened here and never closed",
  ],
  ["a second colon", "services:\n  a:\n    image: b: c", "a second `: ` stands in this line"],
  [
    "a list among keys",
    "services:\n  a:\n    environment:\n      - A=b\n      C: d",
    "a key stands among items of a list",
  ],
  ["another encoding", "\ufffd\ufffds\0e\0r\0v\0", "this is no UTF-8 text"],
  ["an anchor inside itself", "services:\n  a: &x\n    b: *x", 'anchor "x" contains itself'],
] as const) {
  errors(`YAML: ${what} is explained`, async () => {
    const found = await failure(text);
    assert.is(found.code, "COMPOSE_SYNTAX");
    assert.is(found.message, message);
  });
}

errors.run();
