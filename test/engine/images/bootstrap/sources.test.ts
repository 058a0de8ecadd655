import { suite } from "uvu";
import * as assert from "uvu/assert";
import { planBootstrap } from "../../../../engine/images/bootstrap/plan.ts";
import {
  parseLines,
  parseStanzas,
  printSources,
  sourcesFor,
} from "../../../../engine/images/bootstrap/sources.ts";

const sources = suite("images/bootstrap/sources");

const LINES = `# the archive
deb [arch=amd64 signed-by=/k.gpg check-valid-until=no] http://deb.debian.org/debian bookworm main contrib # all
deb-src http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian-security bookworm-security main
deb https://other.example/apt stable main
`;

const STANZAS = `Types: deb deb-src
URIs: http://deb.debian.org/debian
# a comment
Suites: bookworm bookworm-updates bookworm-backports
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
Enabled: no
URIs: http://deb.debian.org/debian
Suites: sid
Components: main
`;

sources("the one-line format is read", () => {
  const [first, second] = parseLines(LINES);
  assert.equal(first, {
    uris: ["http://deb.debian.org/debian"],
    suites: ["bookworm"],
    components: ["main", "contrib"],
    signedBy: "/k.gpg",
    options: { "check-valid-until": "no" },
  });
  assert.equal(second?.suites, ["bookworm-security"]);
  assert.is(parseLines(LINES).length, 3);
});

sources("deb822 is read, and printed as apt reads it", () => {
  const [only, ...rest] = parseStanzas(STANZAS);
  assert.is(rest.length, 0);
  assert.match(only?.signedBy ?? "", /BEGIN.*abc/s);
  assert.equal(parseStanzas(printSources(parseStanzas(STANZAS))), parseStanzas(STANZAS));
});

sources("only Debian's sources of the release are taken, and no backports", () => {
  const own = sourcesFor([...parseLines(LINES), ...parseStanzas(STANZAS)], "bookworm", "bookworm");
  assert.equal(
    own.map(({ suites }) => suites.join(" ")),
    ["bookworm", "bookworm-security", "bookworm bookworm-updates"],
  );
});

sources("another release is where the machine's own is", () => {
  const other = sourcesFor(parseLines(LINES), "trixie", "bookworm");
  assert.equal(
    other.map(({ uris, suites }) => `${uris} ${suites}`),
    ["http://deb.debian.org/debian trixie", "http://deb.debian.org/debian-security trixie-security"],
  );
  assert.equal(
    sourcesFor(parseLines(LINES), "sid", "bookworm").map(({ uris, suites }) => `${uris} ${suites}`),
    ["http://deb.debian.org/debian sid"],
    "nothing lies beside it",
  );
  assert.equal(
    sourcesFor(parseLines("deb https://other.example/apt stable main"), "bookworm", "bookworm"),
    [],
  );
});

for (const [name, expected] of [
  ["busybox", "busybox"],
  ["debian", "bookworm minbase"],
  ["debian:latest", "bookworm minbase"],
  ["debian:trixie", "trixie minbase"],
  ["debian:trixie-slim", "trixie slim"],
  ["docker.io/library/debian:slim", "bookworm slim"],
] as const) {
  sources(`${name} is ${expected}`, () => {
    const plan = planBootstrap(name, {}, "bookworm");
    assert.is(plan.kind === "busybox" ? "busybox" : `${plan.suite} ${plan.variant}`, expected);
  });
}

sources("what nothing is known of is refused", () => {
  assert.throws(() => planBootstrap("redis:7", {}, "bookworm"), /cannot be made here/);
  assert.throws(
    () => planBootstrap("debian:bookworm", { include: ["x; rm -rf /"] }, "bookworm"),
    /not a package/,
  );
  assert.throws(() => planBootstrap("debian:BOOK", {}, "bookworm"), /not the name of a Debian release/);
  assert.throws(() => planBootstrap(`debian@sha256:${"a".repeat(64)}`, {}, "bookworm"), /digest/);
  const plan = planBootstrap("my/base:1", { suite: "sid", include: ["bb", "aa", "bb"] }, "bookworm");
  assert.equal(plan.kind === "debian" && plan.include, ["aa", "bb"]);
});

sources.run();
