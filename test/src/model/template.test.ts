import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fill, TemplateError, variablesOf } from "../../../src/model/template.ts";

const VALUES: Readonly<Record<string, string>> = { A: "a", E: "", D: "x$B" };
const filled = (text: string): string => fill(text, { value: (name) => VALUES[name] });

const template = suite("model/template");

for (const [text, result] of [
  ["$A-${A}", "a-a"],
  ["$$A $", "$A $"],
  ["$1 $-", "$1 $-"],
  ["${N:-d}${E:-d}${E-d}", "dd"],
  ["${N-${A}}", "a"],
  ["${N:-${M:-deep}}", "deep"],
  ["${A:+yes}${N:+no}${E+set}", "yesset"],
  ['${N:-{"json":1}}', '{"json":1}'],
  ["${A:-${N:?never}}", "a"],
  ["$D", "x$B"],
] as const) {
  template(`${text} becomes ${result}`, () => assert.is(filled(text), result));
}

for (const text of ["${}", "${1a}", "${A B}", "${A.B}", "${A/b/c}", "${A"]) {
  template(`${text} has no valid form`, () =>
    assert.throws(
      () => filled(text),
      (error: unknown) => error instanceof TemplateError && error.kind === "format",
    ),
  );
}

template("a required variable gives its reason", () => {
  assert.throws(
    () => filled("x${N:?why ${A}}"),
    (error: unknown) =>
      error instanceof TemplateError &&
      error.reason === "why a" &&
      error.variable === "N" &&
      error.start === 1,
  );
});

template("all variables of a template are found, also inside defaults", () => {
  assert.equal(
    variablesOf("$A ${B:-${C:?x}} $$D").map(({ name, required }) => name + (required ? "!" : "")),
    ["A", "B", "C!"],
  );
});

template.run();
