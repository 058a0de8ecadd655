import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Project } from "../../../src/model/types.ts";
import { absoluteSource, imageSources } from "../../../src/verbs/sources.ts";

const sources = suite("verbs/sources");

const projectWith = (ours: unknown): Project =>
  ({
    workingDir: "/p",
    extensions: { "x-slipway": ours },
    positionOf: () => undefined,
  }) as unknown as Project;

for (const [text, absolute] of [
  ["bootstrap:trixie", "bootstrap:trixie"],
  ["oci-layout:./images/a@x:1", "oci-layout:/p/images/a@x:1"],
  ["oci-layout:///a", "oci-layout:/a"],
  ["dir:root", "dir:/p/root"],
  ["docker://x", undefined],
  ["dir:", undefined],
] as const) {
  sources(`${text} is ${absolute}`, () => assert.is(absoluteSource(text, "/p"), absolute));
}

sources("a project names sources of its images", () => {
  assert.equal([...imageSources(projectWith({ images: { "a:1": "dir:x" } }))], [["a:1", "dir:/p/x"]]);
  assert.equal([...imageSources(projectWith(undefined))], []);
  for (const images of [["dir:x"], { "a:1": 1 }, { "a:1": "x" }])
    assert.throws(() => imageSources(projectWith({ images })), /x-slipway\.images/);
});

sources.run();
