import { suite } from "uvu";
import * as assert from "uvu/assert";
import { familiar, full, parseReference, withDefaultTag } from "../../../engine/images/reference.ts";

const hex = "a".repeat(64);

/** What is written, the full name, what people are shown. */
const NAMES = [
  ["busybox", "docker.io/library/busybox", "busybox"],
  ["busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"],
  ["library/busybox", "docker.io/library/busybox", "busybox"],
  ["user/image", "docker.io/user/image", "user/image"],
  ["docker.io/busybox", "docker.io/library/busybox", "busybox"],
  ["index.docker.io/busybox:x", "docker.io/library/busybox:x", "busybox:x"],
  ["docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"],
  ["localhost/x", "localhost/x", "localhost/x"],
  ["localhost:5000/x", "localhost:5000/x", "localhost:5000/x"],
  ["localhost:5000/x:y", "localhost:5000/x:y", "localhost:5000/x:y"],
  ["x:5000/a", "x:5000/a", "x:5000/a"],
  [
    "reg.example/a/b_c/d__e/f-g--h:T.1",
    "reg.example/a/b_c/d__e/f-g--h:T.1",
    "reg.example/a/b_c/d__e/f-g--h:T.1",
  ],
  ["[2001:db8::1]:5000/x", "[2001:db8::1]:5000/x", "[2001:db8::1]:5000/x"],
  ["Upper/x", "Upper/x", "Upper/x"],
  [`debian@sha256:${hex}`, `docker.io/library/debian@sha256:${hex}`, `debian@sha256:${hex}`],
  [`debian:12@sha256:${hex}`, `docker.io/library/debian:12@sha256:${hex}`, `debian:12@sha256:${hex}`],
] as const;

const REFUSED = [
  "",
  hex,
  "UPPER",
  "a//b",
  "/a",
  "a/",
  "a:",
  "a:-x",
  `a:${"t".repeat(129)}`,
  "a@sha256:abc",
  `a@sha256:${"A".repeat(64)}`,
  `a@md5:${"a".repeat(32)}`,
  "a___b",
  "-a",
  "a b",
  "http://x/y",
  "a".repeat(256),
  "../x",
];

const reference = suite("images/reference");
for (const [text, whole, shown] of NAMES) {
  reference(`${text.slice(0, 40)} is ${whole.slice(0, 50)}`, () => {
    assert.is(full(parseReference(text)), whole);
    assert.is(familiar(parseReference(text)), shown);
  });
}
for (const text of REFUSED) {
  reference(`${JSON.stringify(text.slice(0, 30))} is refused`, () => {
    assert.throws(() => parseReference(text));
  });
}
reference("a name without tag and digest means latest", () => {
  assert.is(familiar(withDefaultTag(parseReference("x"))), "x:latest");
  assert.is(familiar(withDefaultTag(parseReference(`x@sha256:${hex}`))), `x@sha256:${hex}`);
});
reference.run();
