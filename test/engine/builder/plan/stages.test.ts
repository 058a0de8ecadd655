import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseCheckOptions } from "../../../../engine/builder/dockerfile/lint.ts";
import type { PlanSources } from "../../../../engine/builder/plan/context.ts";
import { linterFor, planBuild } from "../../../../engine/builder/plan/stages.ts";
import type { ImageConfig } from "../../../../engine/images/types.ts";
import { differences, outcome, vectors } from "../cases.ts";

const stages = suite("engine/builder/plan/stages");

const BUSYBOX: ImageConfig = {
  architecture: "amd64",
  os: "linux",
  config: { Env: ["PATH=/bin"], Cmd: ["sh"] },
  rootfs: { type: "layers", diff_ids: ["sha256:1"] },
};

interface Planned {
  readonly image?: object;
  readonly steps?: readonly string[];
  readonly warnings: readonly { line: number; msg: string; rule: string }[];
  readonly error?: string;
}

async function plan(
  text: string,
  options: { args?: Record<string, string>; target?: string } = {},
  image: (name: string) => ImageConfig = () => BUSYBOX,
): Promise<Planned> {
  const sources: PlanSources = {
    image: async (reference) => ({ reference, id: "sha256:0", config: image(reference) }),
    namedContext: async () => undefined,
  };
  const linter = linterFor(text);
  const warnings = (): Planned["warnings"] =>
    linter.warnings.map(({ rule, message, range }) => ({ line: range.start.line, msg: message, rule }));
  try {
    const made = await planBuild(
      text,
      {
        args: new Map(Object.entries(options.args ?? {})),
        labels: {},
        target: options.target ?? "",
        platform: { os: "linux", architecture: "amd64" },
        noCache: [],
        network: "default",
        allStages: false,
      },
      sources,
      linter,
    );
    const titles = made.stages.flatMap(({ steps }) => steps.map(({ title }) => title));
    return { image: made.target.image, steps: titles, warnings: warnings() };
  } catch (error) {
    return { error: (error as Error).message, warnings: warnings() };
  }
}

stages("an ARG after an ENV of its name takes its place", async () => {
  const { image } = await plan("FROM busybox\nENV V=env\nARG V=arg\nLABEL v=$V\n");
  assert.equal((image as ImageConfig).config?.Labels, { v: "arg" });
});

stages("an error names the line, and the nearest word", async () => {
  assert.is(
    (await plan("FROM busybox\nRUNN x\n")).error,
    "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)",
  );
});

stages("stages that nobody needs are not planned", async () => {
  const asked: string[] = [];
  const image = (name: string): ImageConfig => {
    asked.push(name);
    return BUSYBOX;
  };
  await plan("FROM one AS a\nRUN x\nFROM two AS b\nFROM three\nCOPY --from=a /x /\n", {}, image);
  assert.equal(asked.sort(), ["docker.io/library/one:latest", "docker.io/library/three:latest"]);
});

interface Case {
  readonly name: string;
  readonly dockerfile: string;
  readonly args?: Record<string, string>;
  readonly target?: string;
  readonly result: {
    readonly image?: Record<string, unknown>;
    readonly steps?: readonly string[] | null;
    readonly warnings?: Planned["warnings"];
    readonly error?: string;
  };
}

stages("makes the configuration that BuildKit makes", async () => {
  const file = vectors<{ bases: Record<string, string>; cases: readonly Case[] }>("config");
  if (file === undefined) return;
  const image = (name: string): ImageConfig =>
    JSON.parse(file.bases[name] ?? file.bases["*"]!) as ImageConfig;
  const made = new Map<Case, Planned>();
  for (const each of file.cases) made.set(each, await plan(each.dockerfile, each, image));
  const report = differences(
    file.cases,
    (each) => {
      const got = made.get(each)!;
      const lines: string[] = [];
      const same = (what: string, a: unknown, b: unknown): void => {
        const [x, y] = [JSON.stringify(sorted(a)), JSON.stringify(sorted(b))];
        if (x !== y) lines.push(`${what} ${x}, expected ${y}`);
      };
      same("error", got.error, each.result.error);
      if (got.error === undefined && each.result.error === undefined) {
        const { config, history, ...rest } = got.image as { config: object; history: unknown };
        same(
          "image",
          {
            ...rest,
            config: filled(config),
            ...(Array.isArray(history) && history.length > 0 && { history }),
          },
          each.result.image,
        );
        // Ours has no internal steps, one step for a linked copy, and counts right where an ONBUILD takes from a stage.
        const shown = (list: readonly string[]): string[] =>
          [...new Set(list.map((step) => step.replace("3/2]", "2/2]").toLowerCase()))].sort();
        const expected = (each.result.steps ?? []).filter(
          (step) => !/\] FROM |^FROM |^\[internal\]|\] LINK /.test(step),
        );
        // The oracle's graph holds equal steps of two stages once.
        if (each.name !== "oracle/g42-shared-step-stages") same("steps", shown(got.steps!), shown(expected));
      }

      same("warnings", ordered(got.warnings), ordered(each.result.warnings));
      return lines.length === 0 ? undefined : `${each.name}: ${lines.join("; ")}`;
    },
    40,
  );
  assert.is(report, "");
});

stages("finds what BuildKit's linter finds", async () => {
  const cases =
    vectors<readonly { name: string; dockerfile: string; warnings?: Planned["warnings"]; error?: string }[]>(
      "lint",
    );
  if (cases === undefined) return;
  const made = new Map<string, Planned>();
  for (const each of cases) made.set(each.name, await plan(each.dockerfile));
  const report = differences(cases, (each) => {
    const got = made.get(each.name)!;
    const [a, b] = [ordered(got.warnings), ordered(each.warnings)].map((list) =>
      JSON.stringify(sorted(list)),
    );
    if (got.error !== each.error) return `${each.name}: ${got.error}, expected ${each.error}`;
    return a === b ? undefined : `${each.name}: ${a}, expected ${b}`;
  });
  assert.is(report, "");
});

stages("reads check options", () => {
  const cases = vectors<readonly { in: string; config?: object; error?: string }[]>("check-option");
  if (cases === undefined) return;
  const report = differences(cases, (each) => {
    const got = outcome(() => {
      const made = parseCheckOptions(each.in);
      const list = (names: readonly string[]): readonly string[] | null =>
        names.length === 0 ? null : names;
      return { ...made, skip: list(made.skip), experimental: list(made.experimental) };
    });
    const [a, b] = ["value" in got ? got.value : got.error, each.config ?? each.error].map((x) =>
      JSON.stringify(sorted(x)),
    );
    return a === b ? undefined : `${each.in}: ${a}, expected ${b}`;
  });
  assert.is(report, "");
});

function ordered(warnings: Planned["warnings"] = []): Planned["warnings"] {
  return [...warnings].sort((a, b) => a.line - b.line || (a.msg < b.msg ? -1 : 1));
}

/** Without empty values, as Go's omitempty leaves them out. */
function filled(config: object): object {
  const full = Object.entries(config).filter(([, value]) => {
    if (value === "" || value === undefined) return false;
    return typeof value !== "object" || Object.keys(value).length > 0;
  });
  return Object.fromEntries(full);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

stages.run();
