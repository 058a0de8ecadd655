import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AppError } from "../../../src/errors.ts";
import { load } from "../../../src/model/load.ts";
import { renderProject } from "../../../src/model/render.ts";
import { config, configHashes, configList, explain, explainJson, lint } from "../../../src/verbs/config.ts";
import { rejects } from "../../helpers/rejects.ts";
import { fakeEngine } from "../engine.ts";

const verb = suite("verbs/config");
const folder = mkdtempSync(join(tmpdir(), "config-"));
const source = { cwd: folder, env: {} };

verb.before(() => {
  writeFileSync(
    join(folder, "compose.yaml"),
    [
      "name: shop",
      "services:",
      "  web:",
      "    image: web:1",
      "    depends_on: [api]",
      "    environment: {PRICE: $$5}",
      "    x-team: front",
      "  api:",
      "    build: .",
      "    volumes: [data:/data]",
      "  debug: {image: sh, profiles: [debug]}",
      "volumes: {data: , unused: }",
      "",
    ].join("\n"),
  );
});
verb.after(() => rmSync(folder, { recursive: true }));

verb("YAML can be loaded again, and says the same", async () => {
  const { text } = await config(source, { services: [], format: "yaml" });
  assert.match(text, "PRICE: $$5");
  writeFileSync(join(folder, "again.yaml"), text);
  const again = await load({ ...source, files: ["again.yaml"] });
  assert.equal(renderProject(again), renderProject(await load(source)));
});

verb("JSON says command and entrypoint, and leaves out what begins with x-", async () => {
  const { text } = await config(source, { services: ["api"], format: "json" });
  const model = JSON.parse(text) as { services: Record<string, Record<string, unknown>> };
  assert.equal(Object.keys(model.services), ["api"]);
  assert.is(model.services["api"]!["command"], null);
});

for (const [kind, lines] of [
  ["services", ["api", "web"]],
  ["volumes", ["data"]],
  ["networks", ["default"]],
  ["images", ["web:1", "shop-api"]],
  ["profiles", ["debug"]],
] as const) {
  verb(`--${kind}`, async () => assert.equal(await configList(source, kind, []), lines));
}

verb("a service that is not there is an error with a hint", async () => {
  await rejects(config(source, { services: ["wbe"], format: "yaml" }), "SERVICE_UNKNOWN");
});

verb("digests are the same for the same definition, and differ for another", async () => {
  const [api, web] = await configHashes(source, "*");
  assert.match(api!, /^api [0-9a-f]{64}$/);
  assert.equal(await configHashes(source, "web"), [web]);
});

verb("--lint tells what is declared and not used", async () => {
  assert.equal(
    (await lint(source)).map(({ code }) => code),
    ["UNUSED"],
  );
});

verb("explain tells of a path, and what there is instead of a wrong one", async () => {
  assert.equal(await explain(source, "services.web.image"), [
    "services.web.image = web:1",
    "  compose.yaml:4:12",
  ]);
  assert.equal(await explain(source, 'services["api"].volumes[0].target'), [
    "services.api.volumes.0.target = /data",
    "  compose.yaml:10:15",
  ]);
  await rejects(explain(source, "services.web.imag"), "USAGE");
});

verb("explain has a form for programs", async () => {
  const [value] = JSON.parse(await explainJson(source, "services.web.image")) as {
    path: string;
    value: string;
    at: { line: number };
  }[];
  assert.equal([value!.path, value!.value, value!.at.line], ["services.web.image", "web:1", 4]);
});

verb("digests of images stand beside their tags, as their registries have them", async () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const engine = fakeEngine({
    describeRemote: async (reference) => {
      if (reference === "gone") throw new AppError("IMAGE_PULL", "no such image");
      return { Descriptor: { mediaType: "", digest, size: 1 } };
    },
  });
  const options = { services: [], format: "json", digestsFrom: { engine, env: {} }, lockOnly: true } as const;
  const { text } = await config(source, options);
  assert.equal(JSON.parse(text), { services: { web: { image: `docker.io/library/web:1@${digest}` } } });
  writeFileSync(join(folder, "gone.yaml"), "services: {a: {image: gone}, b: {image: b}}\n");
  const error = await rejects(config({ ...source, files: ["gone.yaml"] }, options), "IMAGE_PULL");
  assert.is(error.at?.line, 1);
});

verb("a folder gives the name where no file does", async () => {
  writeFileSync(join(folder, "plain.yaml"), "services: {a: {image: i}}\n");
  assert.is((await load({ ...source, files: ["plain.yaml"] })).name, basename(folder).toLowerCase());
});

verb.run();
