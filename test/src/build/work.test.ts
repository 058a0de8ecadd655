import { suite } from "uvu";
import * as assert from "uvu/assert";
import { staleImages } from "../../../src/build/refresh.ts";
import { imageWork } from "../../../src/build/work.ts";
import { AppError } from "../../../src/errors.ts";
import type { Service } from "../../../src/model/types.ts";
import { fakeEngine } from "../engine.ts";
import { project } from "../project.ts";

const work = suite("build/work");

function of(
  services: Readonly<Record<string, Partial<Service>>>,
  present: readonly string[],
  options: object = {},
): string[] {
  const shop = project(services);
  const ids = Object.fromEntries(present.map((name) => [name, "sha256:x"]));
  return imageWork(shop, Object.keys(services), ids, { build: "missing", pull: undefined, ...options }).map(
    (item) =>
      item.kind === "pull"
        ? `pull ${item.image}: ${item.why}`
        : `build ${item.tags.join("+")} for ${item.services.join("+")}: ${item.why}`,
  );
}

const build = { context: "/shop/web" };
const noImage = { image: undefined as never, build };

work("a missing image is pulled once for all services", () => {
  assert.equal(of({ a: {}, b: {} }, []), ["pull busybox: not here yet"]);
  assert.equal(of({ a: {}, b: {} }, ["busybox"]), []);
});

work("equal definitions are built once, under all their names", () => {
  assert.equal(
    of(
      {
        a: noImage,
        b: { ...noImage, build: { ...build } },
        c: { ...noImage, build: { ...build, target: "t" } },
      },
      [],
    ),
    ["build shop-a+shop-b for a+b: no image yet", "build shop-c for c: no image yet"],
  );
});

for (const [what, service, present, options, expected] of [
  [
    "--build builds what is there",
    noImage,
    ["shop-a"],
    { build: "always" },
    ["build shop-a for a: asked for by --build"],
  ],
  [
    "pull_policy: build too",
    { ...noImage, pull_policy: "build" },
    ["shop-a"],
    {},
    ["build shop-a for a: pull_policy: build"],
  ],
  ["pull_policy: always", { pull_policy: "always" }, ["busybox"], {}, ["pull busybox: pull_policy: always"]],
  ["--pull always", {}, ["busybox"], { pull: "always" }, ["pull busybox: asked for by --pull"]],
  ["an image that is there is not built", noImage, ["shop-a"], {}, []],
] as const) {
  work(what, () =>
    assert.equal(of({ a: service as Partial<Service> }, present, options), expected as unknown as string[]),
  );
}

for (const [what, service, options] of [
  ["pull_policy: never", { pull_policy: "never" }, {}],
  ["--no-build", noImage, { build: "never" }],
] as const) {
  work(`${what} refuses a missing image`, () => {
    assert.throws(
      () => of({ a: service as Partial<Service> }, [], options),
      (error: unknown) => error instanceof AppError && error.code === "IMAGE_MISSING",
    );
  });
}

for (const [policy, hours, expected] of [
  ["daily", 25, ["busybox"]],
  ["daily", 23, []],
  ["weekly", 25, []],
  ["every_1h30m", 2, ["busybox"]],
  ["missing", 9999, []],
] as const) {
  work(
    `${policy} after ${hours} hours: ${expected.length === 0 ? "fresh enough" : "fetched again"}`,
    async () => {
      const now = Date.parse("2026-01-10T00:00:00Z");
      const LastTagTime = new Date(now - hours * 3600_000).toISOString();
      const engine = fakeEngine({ inspectImage: async () => ({ Metadata: { LastTagTime } }) as never });
      const shop = project({ a: { pull_policy: policy } });
      const stale = await staleImages(shop, ["a"], engine, now);
      assert.equal([...stale], expected);
      const options = { build: "missing", pull: undefined } as const;
      const found = imageWork(shop, ["a"], { busybox: "sha256:x" }, options, stale);
      assert.equal(
        found.map(({ why }) => why),
        expected.map(() => `pull_policy: ${policy}`),
      );
    },
  );
}

work.run();
