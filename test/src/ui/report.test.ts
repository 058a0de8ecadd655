import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ReportEvent } from "../../../src/context.ts";
import { clip, pad, painter, widthOf } from "../../../src/ui/colour.ts";
import { jsonReport } from "../../../src/ui/json.ts";
import { linePrinter } from "../../../src/ui/lines.ts";
import { plainReport } from "../../../src/ui/plain.ts";
import { tableText } from "../../../src/ui/table.ts";
import { ttyReport } from "../../../src/ui/tty.ts";

const report = suite("ui/report");

function sink() {
  let text = "";
  const write = (part: string): boolean => {
    text += part;
    return true;
  };
  return { write, columns: 60, rows: 10, text: () => text };
}

const web = (phase: ReportEvent["phase"], text: string, why?: string): ReportEvent => ({
  subject: "container",
  id: "web-1",
  phase,
  text,
  ...(why && { why }),
});

report("plain: one line a state change, a reason once, no mere progress", () => {
  const out = sink();
  let now = 0;
  const plain = plainReport(out, painter(false), () => (now += 10));
  plain.on(web("working", "creating", "environment.LOG info → debug"));
  plain.on(web("working", "creating"));
  plain.on({ subject: "image", id: "busybox", phase: "working", text: "pulling", current: 1, total: 2 });
  plain.on(web("done", "started", "environment.LOG info → debug"));
  assert.is(out.text(), " 0.01 web-1: creating (environment.LOG info → debug)\n 0.02 web-1: started\n");
});

report("json: an object a line", () => {
  const out = sink();
  jsonReport(out, () => new Date(0)).on(web("done", "started", "absent"));
  assert.equal(JSON.parse(out.text()), {
    v: 1,
    t: "1970-01-01T00:00:00.000Z",
    op: "container",
    id: "web-1",
    phase: "done",
    state: "started",
    reason: "absent",
  });
});

report("tty: rows are redrawn in place, and the last state stays", () => {
  const out = sink();
  const tty = ttyReport(out, painter(false), () => 0);
  tty.on(web("working", "creating"));
  tty.on(web("done", "started"));
  tty.close();
  const screens = out.text().split("\x1b[J");
  assert.match(screens[0]!, "⠋ web-1  creating");
  assert.match(screens.at(-2)!, /^\x1b\[1A\r ✔ web-1 {2}started/);
});

report("tty: a later last word belongs to the same work, and keeps its time", () => {
  const out = sink();
  let now = 0;
  const tty = ttyReport(out, painter(false), () => now);
  tty.on(web("working", "creating"));
  now = 500;
  tty.on(web("done", "started"));
  now = 1500;
  tty.on(web("done", "healthy"));
  now = 3000;
  tty.on(web("done", "healthy"));
  tty.close();
  assert.match(out.text().split("\x1b[J").at(-2)!, /healthy +1\.5s/);
});

const step = (phase: ReportEvent["phase"], text: string): ReportEvent => ({
  subject: "build",
  id: "web",
  step: "[2/3] RUN make",
  phase,
  text,
});

report("plain: what a step prints says whose it is", () => {
  const out = sink();
  const plain = plainReport(out, painter(false), () => 0);
  plain.on(step("working", "[2/3] RUN make"));
  plain.on(step("output", "cc a.c"));
  assert.is(out.text(), " 0.00 build web: [2/3] RUN make\n 0.00 build web: [2/3] │ cc a.c\n");
});

report("tty: steps are rows below their build, with the last they print while they work", () => {
  const out = sink();
  const tty = ttyReport(out, painter(false), () => 0);
  const build: ReportEvent = { subject: "build", id: "web", phase: "working", text: "building" };
  tty.on(build);
  tty.on(step("output", "nobody knows this step yet"));
  tty.on(step("working", "[2/3] RUN make"));
  for (const text of ["1", "2", "3", "4", "\x1b[31mred\x1b[2K\tend"]) tty.on(step("output", text));
  tty.on({ ...build, id: "db" });
  const before = out.text().length;
  tty.close();
  const screen = out.text().slice(before);
  assert.match(screen, / · web {2}building.*\n.* · \[2\/3\] RUN make {2}0\.0s.*\n · db/s);
  assert.not.match(screen, "red", "what was printed goes when the drawing ends");
});

report("tty: never more rows than the terminal has; those at work are kept", () => {
  const out = sink();
  const tty = ttyReport(out, painter(false), () => 0);
  for (let index = 0; index < 20; index++) {
    tty.on({ subject: "container", id: `c-${index}`, phase: index === 3 ? "working" : "done", text: "x" });
  }
  tty.on({ subject: "container", id: "c-3", phase: "working", text: "still" });
  const last = out.text().split("\x1b[J").at(-2)!;
  assert.ok(last.split("\n").length <= 10);
  tty.close();
});

report("log lines stand behind their container's name", () => {
  const out = sink();
  const print = linePrinter(out.write, ["web-1", "migrate-1"], {
    prefix: true,
    timestamps: false,
    paint: painter(false),
  });
  print({ source: "web-1", service: "web", time: "2026-01-01T00:00:00Z", text: "hello" });
  assert.is(out.text(), "web-1      | hello\n");
});

report("columns are as wide as their widest cell, whatever is coloured", () => {
  const red = painter(true)("red", "ab");
  assert.is(widthOf(red), 2);
  assert.is(
    tableText(
      ["A", "B"],
      [
        [red, "x"],
        ["abc", "y"],
      ],
    ),
    `A     B\n${red}    x\nabc   y`,
  );
  assert.is(pad("日本", 6), "日本  ");
  assert.is(clip("abcdef", 4), "abc…");
});

report.run();
