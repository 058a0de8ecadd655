import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AppError } from "../../../src/errors.ts";
import { MountError, parseMount } from "../../../src/model/mounts.ts";
import { PortError, parsePort } from "../../../src/model/ports.ts";
import { formatDuration, parseBytes, parseDuration } from "../../../src/model/units.ts";
import { splitWords, WordsError } from "../../../src/model/words.ts";

const short = suite("model: short forms");

for (const [text, words, dropped] of [
  ["a 'b c' \"d e\" f\\ g", ["a", "b c", "d e", "f g"]],
  ["echo $HOME `x y` *.txt ~ #c", ["echo", "$HOME", "`x y`", "*.txt", "~", "#c"]],
  ["a\\nb $(c d; e)", ["anb", "$(c d; e)"]],
  ["echo '' \"\" x", ["echo", "", "", "x"]],
  ["echo a && b", ["echo", "a"], "&& b"],
  ["a 2>b c", ["a"], ">b c"],
  ["", []],
] as const) {
  short(`the command ${text || "of nothing"} is ${words.length} words`, () => {
    const split = splitWords(text);
    assert.equal(split.words, words);
    assert.is(split.dropped, dropped);
  });
}
for (const text of ["a 'b", "a \\", "a (b)", "a `b", "a $(b"]) {
  short(`the command ${text} is refused`, () =>
    assert.throws(
      () => splitWords(text),
      (error: unknown) => error instanceof WordsError,
    ),
  );
}

for (const [text, ports] of [
  ["80", ["80/tcp"]],
  ["8080:80/UDP", ["8080:80/udp"]],
  ["80-81:90-91", ["80:90/tcp", "81:91/tcp"]],
  ["80-82:90", ["80-82:90/tcp"]],
  ["[::1]:6061:6061", ["::1 6061:6061/tcp"]],
  ["127.0.0.1::80", ["127.0.0.1 80/tcp"]],
  ["00081:0080", ["81:80/tcp"]],
  ["98-101", ["100/tcp", "101/tcp", "98/tcp", "99/tcp"]],
] as const) {
  short(`port ${text}`, () => {
    const shown = parsePort(text).map(
      ({ host_ip, published, target, protocol }) =>
        `${host_ip ? `${host_ip} ` : ""}${published ? `${published}:` : ""}${target}/${protocol}`,
    );
    assert.equal(shown, ports);
  });
}
for (const text of [
  "",
  "tcp",
  "99999",
  "80/xyz",
  "80:90-91",
  "90-80",
  "300.1.1.1:80:80",
  "a:80",
  "0",
  "::1:80:80",
]) {
  short(`port "${text}" is refused`, () =>
    assert.throws(
      () => parsePort(text),
      (error: unknown) => error instanceof PortError,
    ),
  );
}

for (const [text, shown] of [
  ["/data", "volume  /data"],
  ["name:/data:ro", "volume name /data ro"],
  ["./x:/x:z,rshared", "bind ./x /x rshared z"],
  ["~/x:/x", "bind ~/x /x"],
  ["C:\\x:/x", "bind C:\\x /x"],
  ["name:/data:nocopy", "volume name /data nocopy"],
] as const) {
  short(`mount ${text}`, () => {
    const { type, source, target, read_only, bind, volume } = parseMount(text);
    const parts = [
      type,
      source ?? "",
      target,
      read_only && "ro",
      bind?.propagation,
      bind?.selinux,
      volume?.nocopy && "nocopy",
    ];
    assert.is(parts.filter((part) => part !== undefined && part !== false).join(" "), shown);
  });
}
for (const text of ["", ":/x", "aa::b", "/aa:/b:ro:z"]) {
  short(`mount "${text}" is refused`, () =>
    assert.throws(
      () => parseMount(text),
      (error: unknown) => error instanceof MountError,
    ),
  );
}

for (const [text, nanoseconds, spelt] of [
  ["40s", 40e9, "40s"],
  ["90s", 90e9, "1m30s"],
  ["1h5m30s20ms", 3930.02e9, "1h5m30.02s"],
  ["1500ms", 1.5e9, "1.5s"],
  ["1d", 86400e9, "24h0m0s"],
  ["250us", 250e3, "250µs"],
  ["0", 0, "0s"],
] as const) {
  short(`${text} is ${nanoseconds} ns, spelt ${spelt}`, () => {
    assert.is(parseDuration(text), nanoseconds);
    assert.is(formatDuration(nanoseconds), spelt);
  });
}
const code = (wanted: string) => (error: unknown) => error instanceof AppError && error.code === wanted;
for (const text of ["", "5", "1 m", "s", "1x"])
  short(`the duration "${text}" is refused`, () =>
    assert.throws(() => parseDuration(text), code("COMPOSE_DURATION")),
  );

for (const [text, bytes] of [
  ["64m", 67108864],
  ["1.5gb", 1610612736],
  ["1 GiB", 1073741824],
  ["0.5kb", 512],
  ["-1", -1],
  ["7", 7],
] as const) {
  short(`${text} is ${bytes} bytes`, () => assert.is(parseBytes(text), bytes));
}
for (const text of ["", "x", "1q", "9223372036854775807"])
  short(`"${text}" bytes are refused`, () => assert.throws(() => parseBytes(text), code("COMPOSE_BYTES")));

short.run();
