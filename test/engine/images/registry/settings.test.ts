import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  DEFAULT_SETTINGS,
  isInsecure,
  readRegistrySettings,
  tlsFiles,
} from "../../../../engine/images/registry/settings.ts";

const settings = suite("images/registry/settings");

/** Files of a directory that goes with the test. */
function withFiles(files: Readonly<Record<string, string>>, work: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "slw-settings-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(directory, name, ".."), { recursive: true });
      writeFileSync(join(directory, name), text);
    }
    work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

settings("options of the command line go before the file's", () => {
  const text = JSON.stringify({
    mirrors: { "docker.io": ["http://second"], "r.example": ["http://own/path"] },
    insecure: ["old.example:5000"],
  });
  withFiles({ "r.json": text }, (directory) => {
    const file = join(directory, "r.json");
    assert.equal(readRegistrySettings({ file, mirrors: ["http://first"], insecure: ["10.0.0.0/8"] }), {
      mirrors: { "docker.io": ["http://first", "http://second"], "r.example": ["http://own/path"] },
      insecure: ["10.0.0.0/8", "old.example:5000"],
      certificates: DEFAULT_SETTINGS.certificates,
      sources: {},
    });
  });
});

for (const [what, text, message] of [
  ["what is no JSON", "{", /r\.json cannot be read as JSON/],
  ["an unknown setting", '{"mirror": {}}', /r\.json: mirror is no setting of registries/],
  ["a mirror that is no list", '{"mirrors": {"docker.io": "http://x"}}', /docker\.io is no list of strings/],
  ["a mirror that is no URL", '{"mirrors": {"docker.io": ["x:5000"]}}', /^invalid mirror: x:5000 is no http/],
  [
    "a mirror with a login",
    '{"mirrors": {"a": ["http://u:secret@x"]}}',
    /^invalid mirror: http:\/\/x may have/,
  ],
] as const) {
  settings(`${what} is refused`, () => {
    withFiles({ "r.json": text }, (directory) => {
      assert.throws(
        () => readRegistrySettings({ file: join(directory, "r.json") }),
        (error: Error) => message.test(error.message) && !error.message.includes("secret"),
      );
    });
  });
}

settings("registries that need no certificate are named by host, port or range", () => {
  const own = { ...DEFAULT_SETTINGS, insecure: ["plain.example", "other.example:81", "10.1.0.0/16"] };
  const hosts = [
    "plain.example:5000",
    "other.example:81",
    "10.1.2.3:5000",
    "127.0.0.9",
    "localhost:1",
    "[::1]:5000",
  ];
  for (const host of hosts) assert.ok(isInsecure(own, host), host);
  for (const host of ["other.example", "10.2.0.1:5000", "127.example", "docker.io"])
    assert.not(isInsecure(own, host), host);
});

settings("certificates lie as Docker lays them out", () => {
  const files = {
    "h:1/a.crt": "A",
    "h:1/b.crt": "B",
    "h:1/me.cert": "C",
    "h:1/me.key": "K",
    "bare/x.cert": "C",
  };
  withFiles(files, (directory) => {
    const own = { ...DEFAULT_SETTINGS, certificates: ["/nowhere", directory] };
    const { ca, cert, key } = tlsFiles(own, "h:1");
    assert.equal([ca?.map(String), String(cert), String(key)], [["A", "B"], "C", "K"]);
    assert.equal(tlsFiles(own, "h:2"), {});
    assert.throws(() => tlsFiles(own, "bare"), /missing key x\.key for client certificate x\.cert/);
  });
});

settings.run();
