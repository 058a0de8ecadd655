import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadTexts, mistakes } from "./memory.ts";

const files = suite("model: include and extends");

files("an included file has its own folder and .env; the outer environment wins", async () => {
  const project = await loadTexts(
    {
      "compose.yaml": "include: [sub/c.yaml]\nservices: {s: {image: i, depends_on: [inner]}}",
      "sub/c.yaml": 'name: other\nservices: {inner: {image: "$A-$B", build: ., environment: [B]}}',
      "sub/.env": "A=sub\nB=sub\n",
    },
    { env: { A: "shell" } },
  );
  const { inner } = project.services;
  assert.is(project.name, "shop");
  assert.is(inner!.image, "shell-sub");
  assert.is(inner!.build?.context, "/shop/sub");
  assert.equal(inner!.environment, { B: "sub" });
});

files("what the including file says wins over what it includes", async () => {
  const project = await loadTexts({
    "compose.yaml": "include: [c.yaml]\nservices: {s: {environment: {A: own}}}",
    "c.yaml": "services: {s: {image: i, environment: {A: inner, B: inner}}}",
  });
  assert.equal(project.services["s"]!.environment, { A: "own", B: "inner" });
});

files("a file that is included twice comes in once", async () => {
  const project = await loadTexts({
    "compose.yaml": "include: [a.yaml, b.yaml]\nservices: {}",
    "a.yaml": "include: [c.yaml]\nservices: {}",
    "b.yaml": "include: [c.yaml]\nservices: {}",
    "c.yaml": "services: {c: {image: i, post_start: [{command: x}]}}",
  });
  assert.is(project.services["c"]!.post_start?.length, 1);
});

files("a service may extend one that is included", async () => {
  const project = await loadTexts({
    "compose.yaml": "include: [c.yaml]\nservices: {s: {extends: base}}",
    "c.yaml": "services: {base: {image: i}}",
  });
  assert.is(project.services["s"]!.image, "i");
});

files("paths of a base start from the base's folder", async () => {
  const project = await loadTexts({
    "compose.yaml": "services: {s: {extends: {file: sub/b.yaml, service: b}}}",
    "sub/b.yaml":
      "services: {b: {build: ./ctx, volumes: [./v:/v], extends: {file: deep/d.yaml, service: d}}}",
    "sub/deep/d.yaml": "services: {d: {image: i, volumes: [./w:/w]}}",
  });
  const { s } = project.services;
  assert.is(s!.build?.context, "/shop/sub/ctx");
  assert.equal(
    s!.volumes?.map(({ source }) => source),
    ["/shop/sub/deep/w", "/shop/sub/v"],
  );
});

files("!reset and !override work over a base", async () => {
  const project = await loadTexts(
    'services: {b: {image: i, command: x, ports: ["1:1"]}, s: {extends: b, command: !reset null, ports: !override ["2:2"]}}',
  );
  const { s } = project.services;
  assert.is(s!.command, undefined);
  assert.equal(
    s!.ports?.map(({ target }) => target),
    [2],
  );
});

for (const [what, texts, expected] of [
  [
    "services that extend each other",
    { "compose.yaml": "services:\n  a: {image: i, extends: b}\n  b: {image: i, extends: a}" },
    "DEPENDENCY_CYCLE compose.yaml:2:17 services extend each other in a circle: a in compose.yaml → b in compose.yaml → a in compose.yaml",
  ],
  [
    "a base that is not there",
    { "compose.yaml": "services:\n  a: {extends: {service: bse}}\n  base: {image: i}" },
    "COMPOSE_EXTENDS compose.yaml:2:26 services.a extends bse, and there is no such service",
  ],
  [
    "extends without a service",
    { "compose.yaml": "services:\n  a: {extends: {file: x.yaml}}" },
    "COMPOSE_EXTENDS compose.yaml:2:7 services.a.extends names no service",
  ],
  [
    "a base file that is not there",
    { "compose.yaml": "services:\n  a: {extends: {file: x.yaml, service: b}}" },
    "COMPOSE_FILE_MISSING compose.yaml:2:23 there is no file x.yaml",
  ],
  [
    "an included file that is not there",
    { "compose.yaml": "include:\n  - x.yaml\nservices: {}" },
    "COMPOSE_FILE_MISSING compose.yaml:2:5 there is no file x.yaml",
  ],
  [
    "an include from elsewhere",
    { "compose.yaml": "include: [https://example.invalid/a.git]\nservices: {}" },
    "COMPOSE_REMOTE compose.yaml:1:11 https://example.invalid/a.git is not on this machine, and nothing is fetched here",
  ],
  [
    "files that include each other",
    { "compose.yaml": "include: [a.yaml]\nservices: {}", "a.yaml": "include: [compose.yaml]\nservices: {}" },
    "COMPOSE_INCLUDE a.yaml:1:11 files include each other in a circle: compose.yaml → a.yaml → compose.yaml",
  ],
] as const) {
  files(`${what} are told with their place`, async () => assert.equal(await mistakes(texts), [expected]));
}

files.run();
