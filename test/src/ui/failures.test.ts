import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AppError, AppErrors } from "../../../src/errors.ts";
import { painter } from "../../../src/ui/colour.ts";
import { failureJson, failuresOf, failureText, sourceFrame } from "../../../src/ui/failures.ts";

const failures = suite("ui/failures");
const plain = painter(false);
const at = { file: "/shop/compose.yaml", line: 2, column: 12 };

failures("a failure is its code, place, sentence and hint", () => {
  const error = new AppError("SERVICE_UNKNOWN", "no such service: wbe", { at, hint: "Services: web." });
  assert.is(
    failureText(error, plain, "/shop"),
    "SERVICE_UNKNOWN compose.yaml:2:12  no such service: wbe\n  Services: web.\n",
  );
});

failures("the lines around are shown with a mark below the word", () => {
  assert.is(
    sourceFrame(at, 'web:\n    image: "nosuch/image"\n    command: x\n'),
    [
      "  1 | web:",
      '> 2 |     image: "nosuch/image"',
      `    |            ${"^".repeat(14)}`,
      "  3 |     command: x",
    ].join("\n"),
  );
});

failures("what a program said is shown below", () => {
  const error = new AppError("SERVICE_EXITED", "web exited with 3", {
    said: { by: "web", lines: ["\x1b[31mno config"] },
  });
  assert.is(
    failureText(error, plain, "/"),
    "SERVICE_EXITED  web exited with 3\n  last lines of web:\n  │ no config\n",
  );
});

failures("several come one by one; what nobody expected has its stack", () => {
  const two = new AppErrors([new AppError("USAGE", "a"), new AppError("USAGE", "b")]);
  assert.equal(
    failuresOf(two).map(({ message }) => message),
    ["a", "b"],
  );
  const [internal] = failuresOf(new TypeError("x is undefined"));
  assert.is(internal!.code, "INTERNAL");
  assert.match(internal!.frame!, "failures.test.ts");
});

failures("as JSON it has the place in parts", () => {
  const { t: _, ...line } = failureJson(new AppError("USAGE", "no", { at })) as Record<string, unknown>;
  assert.equal(line, {
    v: 1,
    op: "error",
    err: { code: "USAGE", message: "no", file: at.file, line: 2, col: 12 },
  });
});

failures.run();
