import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Filters } from "../../engine/filters.ts";

const filters = suite("engine/filters");

for (const text of ['{"label":{"a=b":true}}', '{"label":["a=b"]}']) {
  filters(`${text} asks for the label a=b`, () => {
    assert.equal(Filters.parse(text).values("label"), ["a=b"]);
  });
}

for (const text of ["", "null", "{}"]) {
  filters(`${JSON.stringify(text)} asks for nothing`, () => assert.ok(Filters.parse(text).isEmpty));
}

for (const text of ["{", "[]", "1", '{"label":1}']) {
  filters(`${text} is refused`, () => assert.throws(() => Filters.parse(text), /invalid filter/));
}

filters("a value that is switched off does not count", () => {
  assert.not.ok(Filters.parse('{"status":{"running":false}}').has("status"));
});

filters("an unknown name is refused by its name", () => {
  const asked = new Filters({ colour: ["red"] });
  assert.throws(() => asked.accept("label", "name"), /invalid filter 'colour'/);
});

filters("all labels have to hold, with or without a value", () => {
  const labels = { "com.docker.compose.project": "shop", tier: "web" };
  assert.ok(new Filters({ label: ["tier", "com.docker.compose.project=shop"] }).labels(labels));
  assert.not.ok(new Filters({ label: ["tier", "com.docker.compose.project=other"] }).labels(labels));
  assert.not.ok(new Filters({ "label!": ["tier"] }).labels(labels));
});

filters("a name matches as a part, as an expression, and as text that is no expression", () => {
  assert.ok(new Filters({ name: ["hop_we"] }).match("name", "shop_web"));
  assert.ok(new Filters({ name: ["^shop_.*1$"] }).match("name", "shop_web-1"));
  assert.ok(new Filters({ name: ["a("] }).match("name", "xa(y"));
  assert.not.ok(new Filters({ name: ["^web"] }).match("name", "shop_web"));
});

filters("what is not asked for matches everything", () => {
  assert.ok(new Filters().exact("status", "running"));
  assert.is(new Filters().bool("dangling"), undefined);
});

filters.run();
