/** The schema is held to the types, to the reference table, and to being of use in an editor. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { knownKeys, readSchema, type Schema, schemasAt } from "../../../src/model/schema-keys.ts";

const schema = suite("schema/compose.json");
const root = join(import.meta.dirname, "../../..");
const types = ["types.ts", "service-types.ts"]
  .map((name) => readFileSync(join(root, "src/model", name), "utf8"))
  .join("");

/** The keys of an interface of types.ts. */
function keysOfType(name: string): string[] {
  const body = new RegExp(`export interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(types)![1]!;
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, key]) => key!);
}

for (const [type, path, only] of [
  ["Service", ["services", "web"], { types: ["name"], schema: [] }],
  ["Build", ["services", "web", "build"], { types: [], schema: [] }],
  ["Healthcheck", ["services", "web", "healthcheck"], { types: [], schema: [] }],
  ["Dependency", ["services", "web", "depends_on", "db"], { types: [], schema: [] }],
  ["Port", ["services", "web", "ports", "0"], { types: [], schema: [] }],
  ["Mount", ["services", "web", "volumes", "0"], { types: [], schema: [] }],
  ["FileMount", ["services", "web", "secrets", "0"], { types: [], schema: [] }],
  ["ServiceNetwork", ["services", "web", "networks", "back"], { types: [], schema: [] }],
  ["WatchRule", ["services", "web", "develop", "watch", "0"], { types: [], schema: [] }],
  ["Hook", ["services", "web", "post_start", "0"], { types: [], schema: [] }],
  ["Deploy", ["services", "web", "deploy"], { types: [], schema: [] }],
  ["UpdateConfig", ["services", "web", "deploy", "update_config"], { types: [], schema: [] }],
  ["BlkioConfig", ["services", "web", "blkio_config"], { types: [], schema: [] }],
  ["Network", ["networks", "back"], { types: [], schema: [] }],
  ["Volume", ["volumes", "data"], { types: [], schema: [] }],
  ["Secret", ["secrets", "pw"], { types: [], schema: [] }],
  ["Config", ["configs", "c"], { types: [], schema: [] }],
  ["Model", ["models", "m"], { types: [], schema: [] }],
] as const) {
  schema(`the type ${type} has the keys of ${path.join(".")}`, () => {
    const inTypes = keysOfType(type).filter((key) => !(only.types as readonly string[]).includes(key));
    assert.equal(inTypes.sort(), knownKeys(path).sort());
  });
}

schema("everything that can be written has a description", () => {
  const bare: string[] = [];
  const walk = (value: Schema, path: string): void => {
    for (const [key, child] of Object.entries(value.properties ?? {})) {
      const expanded = schemasOf(child);
      if (!expanded.some(({ description }) => description !== undefined)) bare.push(`${path}.${key}`);
      walk(child, `${path}.${key}`);
    }
    for (const child of [
      ...Object.values(value.patternProperties ?? {}),
      ...(value.items ? [value.items] : []),
      ...(value.anyOf ?? []),
    ])
      walk(child, path);
  };
  const whole = readSchema();
  const schemasOf = (value: Schema): Schema[] =>
    value.$ref ? [value, whole.$defs![value.$ref.slice(8)]!] : [value];
  walk(whole, "");
  for (const [name, definition] of Object.entries(whole.$defs!)) walk(definition, name);
  assert.equal(bare, []);
});

schema("a value is described by the nearest words, not by an alternative's", () => {
  assert.is(
    schemasAt(["services", "web", "depends_on"])[0]!.description,
    "Services that start first: a list, or a mapping that says what to wait for.",
  );
});

const reference = join(root, "../shared/reference/compose.md");
if (!existsSync(reference))
  console.log("schema: ../shared/reference/compose.md is not there; the table is not compared");
else {
  const text = readFileSync(reference, "utf8");
  const section = (from: string, to: string): string => text.slice(text.indexOf(from), text.indexOf(to));

  schema("every attribute of a service that the reference lists is known", () => {
    const rows = section("## 1.2 Service attributes", "## 1.3 build")
      .split("\n")
      .filter((line) => /^\| [a-z]/.test(line) && !line.startsWith("| element"));
    const known = knownKeys(["services", "web"]);
    const names = rows
      .flatMap((row) => row.split("|")[1]!.trim().split(/[ ,]+/))
      .map((name) => name.replace("cpu_rt_*", "cpu_rt_runtime").split(".")[0]!);
    assert.ok(names.length > 80, String(names.length));
    assert.equal(
      names.filter((name) => !known.includes(name)),
      [],
    );
  });

  schema("every key of build that the reference lists is known", () => {
    const names = section("## 1.3 build", "## 1.4 deploy")
      .replace(/\([^()]*(\([^()]*\)[^()]*)*\)/g, "")
      .split(". Context and")[0]!
      .split("\n")[1]!
      .split(/,\s*/)
      .map((name) => name.trim());
    const known = knownKeys(["services", "web", "build"]);
    assert.ok(names.length > 20, String(names.length));
    assert.equal(
      names.filter((name) => !known.includes(name)),
      [],
    );
  });
}

schema.run();
