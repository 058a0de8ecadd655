import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Head, type Node, parse, triggerOf } from "../../../../engine/builder/dockerfile/parse.ts";
import { differences, outcome, vectors } from "../cases.ts";

const parsing = suite("engine/builder/dockerfile/parse");

parsing("agrees with BuildKit's parser", () => {
  interface Case {
    readonly name: string;
    readonly dockerfile: string;
    readonly result: {
      readonly error?: string;
      readonly escape?: string;
      readonly nodes?: readonly object[];
      readonly warnings?: readonly object[];
    };
  }
  const cases = vectors<readonly Case[]>("parser");
  if (cases === undefined) return;
  const report = differences(cases, ({ name, dockerfile, result }) => {
    const got = outcome(() => {
      const parsed = parse(dockerfile);
      return { escape: parsed.escapeToken, nodes: parsed.nodes.map(flat) };
    });
    if ("error" in got || result.error !== undefined) {
      const error = "error" in got ? got.error : undefined;
      return error === result.error ? undefined : `${name}: error ${error}, expected ${result.error}`;
    }
    const wrong = (result.nodes ?? []).findIndex(
      (node, index) => JSON.stringify(sorted(node)) !== JSON.stringify(sorted(got.value.nodes[index] ?? {})),
    );
    if (wrong < 0 && got.value.nodes.length === result.nodes?.length && got.value.escape === result.escape)
      return undefined;
    return `${name}: ${JSON.stringify(sorted(got.value.nodes[wrong] ?? {}))}, expected ${JSON.stringify(sorted(result.nodes?.[wrong] ?? {}))}`;
  });
  assert.is(report, "");
});

const KNOWN =
  /^(add|arg|cmd|copy|entrypoint|env|expose|from|healthcheck|label|maintainer|onbuild|run|shell|stopsignal|user|volume|workdir)$/;

function flat(node: Node): object {
  return {
    ...head(node),
    start: node.range.start.line,
    end: node.range.end.line,
    ...(node.comments.length > 0 && { comments: node.comments }),
    ...(node.heredocs.length > 0 && {
      heredocs: node.heredocs.map(({ name, content, expand, stripTabs, fd }) => ({
        name,
        content,
        expand,
        chomp: stripTabs,
        fd,
      })),
    }),
  };
}

function head(node: Head): object {
  const values = (words: Head["args"]): unknown[] | null =>
    words.length === 0 ? null : words.map(({ value }) => value);
  let args = values(node.args);
  const inner =
    node.instruction === "onbuild" && node.args[0] !== undefined ? triggerOf(node.args[0].value) : undefined;
  if (inner !== undefined) args = [{ ...head(inner), start: 0, end: 0 }];
  return {
    args: KNOWN.test(node.instruction) ? args : [""],
    instr: node.instruction,
    original: node.original,
    ...(node.json && { json: true }),
    ...(node.flags.length > 0 && { flags: values(node.flags) }),
  };
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

parsing.run();
