/** The shared cases (../shared/cases/compose), in process and in memory: what docker compose makes of the same files. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AppErrors } from "../../../src/errors.ts";
import { load } from "../../../src/model/load.ts";
import { renderProject, toJson } from "../../../src/model/render.ts";
import { inMemory } from "./memory.ts";

const folder = join(import.meta.dirname, "../../../../shared/cases/compose");

interface Case {
  readonly id: string;
  readonly agree?: boolean;
  readonly base?: string;
  readonly files?: Record<string, string>;
  readonly args?: string[];
  readonly config_args?: string[];
  readonly select?: string[];
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly expected?: unknown;
  readonly error?: string;
  readonly template?: string;
  readonly input?: string;
  readonly kind?: string;
  readonly yaml?: string;
}

/**
 * docker compose loads these and then fails to print them as JSON: `build.ssh` with a path. The spec's build.md has the form,
 * so ours prints it.
 */
const OURS_ACCEPTS = [
  "cg-loader-TestLoadSSHWithKeyValueInBuildConfig-1",
  "cg-loader-TestLoadSSHWithKeysValuesInBuildConfig-1",
  "dc-e2e-build-test-ssh-compose.yaml",
];

const read = <T>(name: string): T => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as T;

const cases = suite("model/cases");

if (!existsSync(folder)) {
  cases("../shared/cases/compose is not there: nothing to compare with", () => {
    console.log(`no ${folder}`);
  });
} else {
  const bases = read<Record<string, Record<string, string>>>("bases");
  const only = process.env["CASE"] ?? "";
  const add = (group: string, each: Case, work: () => Promise<void>): void => {
    if (`${group}/${each.id}`.includes(only)) cases(`${group}/${each.id}`, work);
  };

  for (const each of read<Case[]>("valid").filter((each) => each.agree)) {
    add("valid", each, async () => {
      assert.equal(
        normal(await config(each, { ...bases[each.base ?? ""], ...each.files })),
        normal(each.expected),
      );
    });
  }
  for (const each of read<Case[]>("invalid").filter((each) => !OURS_ACCEPTS.includes(each.id))) {
    add("invalid", each, async () => {
      const result = await config(each, { ...bases[each.base ?? ""], ...each.files }).catch(() => undefined);
      assert.is(result, undefined, "it is accepted");
    });
  }
  for (const each of read<Case[]>("interpolation").filter((each) => each.agree)) {
    const files = {
      "compose.yaml": `services:\n  s:\n    image: i\n    environment:\n      V: ${JSON.stringify(each.template)}\n`,
    };
    add("interpolation", each, () =>
      expect(each, files, (service) =>
        (service["environment"] as Record<string, string>)["V"]!.replaceAll("$$", "$"),
      ),
    );
  }
  for (const each of read<Case[]>("dotenv")) {
    const files = { "compose.yaml": "services: {s: {image: i, env_file: [e.env]}}\n", "e.env": each.input! };
    add("dotenv", each, () =>
      expect(each, files, (service) =>
        Object.fromEntries(
          Object.entries((service["environment"] ?? {}) as Record<string, string>).map(([key, value]) => [
            key,
            value.replaceAll("$$", "$"),
          ]),
        ),
      ),
    );
  }
  for (const each of read<Case[]>("scalars").filter((each) => each.agree)) {
    const files = { [each.kind === "dirname" ? `${each.input}/compose.yaml` : "compose.yaml"]: each.yaml! };
    add("scalars", each, () => expect(each, files, (service) => fieldOf(service, each.kind!)));
  }
}
cases.run();

async function expect(
  each: Case,
  files: Record<string, string>,
  pick: (service: Record<string, unknown>) => unknown,
): Promise<void> {
  const result = await config(each, files).catch((error: Error) => error);
  if (each.error !== undefined) return assert.ok(result instanceof Error, "it is accepted");
  if (result instanceof Error) throw result;
  assert.equal(
    normal({ v: pick((result as { services: { s: Record<string, unknown> } }).services.s) }),
    normal({ v: each.expected }),
  );
}

const FIELDS: Record<string, string> = {
  volume: "volumes",
  port: "ports",
  extra_host: "extra_hosts",
  bytes: "mem_limit",
  duration: "stop_grace_period",
};

function fieldOf(service: Record<string, unknown>, kind: string): unknown {
  return service[FIELDS[kind] ?? kind];
}

/** What `config --format json` prints for the case, with its folder as <DIR>. */
async function config(each: Case, texts: Record<string, string>): Promise<unknown> {
  const root = "/cases";
  const directory = join(root, "proj");
  const options: Record<string, string[]> = {};
  const args = [...(each.args ?? []), ...(each.config_args ?? [])];
  while (args.length > 0) {
    const [, name, value] = /^--?([^=]+)(?:=(.*))?$/.exec(args.shift()!)!;
    const flag = name!.startsWith("no-");
    (options[name!] ??= []).push(value ?? (flag ? "" : args.shift()!));
  }
  const named = (...names: string[]): string[] => names.flatMap((name) => options[name] ?? []);
  const skip = {
    interpolation: "no-interpolate" in options,
    normalization: "no-normalize" in options,
    paths: "no-path-resolution" in options,
    consistency: "no-consistency" in options,
  };
  const project = await load(
    {
      cwd: join(directory, each.cwd ?? ""),
      env: { HOME: "/home/user", PATH: process.env["PATH"], ...each.env },
      files: named("f", "file"),
      projectName: named("p", "project-name")[0],
      projectDirectory: named("project-directory")[0],
      envFiles: named("env-file"),
      profiles: named("profile"),
      services: each.select ?? [],
      skip,
    },
    inMemory(directory, texts),
  ).catch((error: unknown) => {
    if (error instanceof AppErrors) throw error.errors[0];
    throw error;
  });
  const text = toJson(
    renderProject(project, { escape: !skip.interpolation, extensions: false, nulls: true }),
  );
  return JSON.parse(text.replaceAll(directory, "<DIR>").replaceAll(root, "<PARENT>"));
}

/** Drops what says nothing, and orders keys. */
function normal(value: unknown, path: readonly string[] = []): unknown {
  if (Array.isArray(value)) return value.map((item, index) => normal(item, [...path, String(index)]));
  if (typeof value !== "object" || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (key === "create_host_path" && item === true) continue;
    const octal = key === "mode" && typeof item === "number" && ["secrets", "configs"].includes(path.at(-2)!);
    const next = normal(octal ? item.toString(8).padStart(4, "0") : item, [...path, key]);
    if (
      next === null ||
      next === undefined ||
      (typeof next === "object" && Object.keys(next as object).length === 0)
    )
      continue;
    result[key] = next;
  }
  return result;
}
