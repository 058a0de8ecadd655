import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Ignore } from "../../../src/build/ignore.ts";
import { isIgnored, matches, type ServiceRules } from "../../../src/watch/rules.ts";

const rules = suite("watch/rules");

const given: ServiceRules = {
  service: "web",
  context: "/shop/web",
  ignore: new Ignore("node_modules\n*.log"),
  rules: [
    { path: "/shop/web/src", action: "sync", target: "/app/src/", ignore: ["*.test.ts", "gen/"] },
    { path: "/shop/web/package.json", action: "rebuild" },
    { path: "/shop/web/conf", action: "sync+restart", target: "/etc/web", include: ["*.conf"] },
  ],
};

for (const [path, expected] of [
  ["/shop/web/src/a/b.ts", ["sync /app/src/a/b.ts"]],
  ["/shop/web/src/a/b.test.ts", []],
  ["/shop/web/src/gen/x.ts", []],
  ["/shop/web/src/.a.ts.swp", []],
  ["/shop/web/src/a.ts~", []],
  ["/shop/web/package.json", ["rebuild undefined"]],
  ["/shop/web/conf/web.conf", ["sync+restart /etc/web/web.conf"]],
  ["/shop/web/conf/readme.md", []],
  ["/shop/web/node_modules/x/index.js", []],
  ["/shop/web/srcs/a.ts", []],
] as const) {
  rules(`${path} → ${expected.join() || "nothing"}`, () => {
    assert.equal(
      matches(given, path).map(({ rule, target }) => `${rule.action} ${target}`),
      [...expected],
    );
  });
}

rules("ignored directories need not be watched at all", () => {
  assert.ok(isIgnored(given, "/shop/web/node_modules"));
  assert.ok(isIgnored(given, "/shop/web/.git"));
  assert.not(isIgnored(given, "/shop/web"));
});

rules.run();
