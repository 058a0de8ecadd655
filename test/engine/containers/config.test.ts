import { suite } from "uvu";
import * as assert from "uvu/assert";
import { containerCapabilities } from "../../../engine/containers/capabilities.ts";
import { deviceProgram } from "../../../engine/containers/cgroups/device-filter.ts";
import { commandOf, mergeConfig } from "../../../engine/containers/config.ts";
import { DEFAULT_RULES, type DeviceRule } from "../../../engine/containers/devices.ts";
import { containerEnvironment, mergeEnvironment } from "../../../engine/containers/environment.ts";

const config = suite("engine/containers/config");
const ID = "0123456789abcdef".repeat(4);

for (const [what, request, image, expected] of [
  ["the image's command", {}, { Cmd: ["a", "b"] }, ["a", "b"]],
  ["the image's entrypoint and command", {}, { Entrypoint: ["e"], Cmd: ["c"] }, ["e", "c"]],
  ["a command of the request's", { Cmd: ["x"] }, { Entrypoint: ["e"], Cmd: ["c"] }, ["e", "x"]],
  ["an entrypoint of the request's ends the image's command", { Entrypoint: ["y"] }, { Cmd: ["c"] }, ["y"]],
  ["both of the request's", { Entrypoint: ["y"], Cmd: ["x"] }, { Entrypoint: ["e"], Cmd: ["c"] }, ["y", "x"]],
  ["an entrypoint that is reset", { Entrypoint: [""], Cmd: ["x"] }, { Entrypoint: ["e"] }, ["x"]],
] as const) {
  config(`the program is ${what}`, () => {
    const { path, args } = commandOf(mergeConfig(request, image, ID));
    assert.equal([path, ...args], [...expected]);
  });
}

config("a container without a program is refused", () => {
  for (const image of [{}, { Cmd: [] }, { Entrypoint: [""] }]) {
    assert.throws(() => commandOf(mergeConfig({}, image, ID)), /no command specified/);
  }
});

config("labels, ports, volumes and variables of the image are joined by the request's", () => {
  const merged = mergeConfig(
    {
      Labels: { a: "mine", c: "3" },
      Env: ["A=mine", "C=3"],
      ExposedPorts: { "90": {} },
      Volumes: { "/v2": {} },
      HostConfig: { PortBindings: { "80/udp": [] } },
    },
    {
      Labels: { a: "1", b: "2" },
      Env: ["A=1", "B=2"],
      ExposedPorts: { "80/tcp": {} },
      Volumes: { "/v1": {} },
    },
    ID,
  );
  assert.equal(merged.Labels, { a: "mine", b: "2", c: "3" });
  assert.equal(merged.Env, ["A=mine", "C=3", "B=2"]);
  assert.equal(Object.keys(merged.ExposedPorts ?? {}), ["80/tcp", "90/tcp", "80/udp"]);
  assert.equal(Object.keys(merged.Volumes ?? {}), ["/v1", "/v2"]);
  assert.is(merged.Hostname, "0123456789ab");
});

config("a probe's missing values are the image's", () => {
  const image = { Test: ["CMD", "image"], Interval: 5, Retries: 4 };
  assert.equal(
    mergeConfig({ Healthcheck: { Interval: 9, Retries: 0 } }, { Healthcheck: image }, ID).Healthcheck,
    {
      Test: ["CMD", "image"],
      Interval: 9,
      Retries: 4,
    },
  );
  assert.equal(
    mergeConfig({ Healthcheck: { Test: ["NONE"] } }, { Healthcheck: image }, ID).Healthcheck?.Test,
    ["NONE"],
  );
  assert.is(mergeConfig({}, {}, ID).Healthcheck, undefined);
});

config.run();

const environment = suite("engine/containers/environment");

environment("PATH and HOSTNAME, and TERM with a terminal, unless they are asked for otherwise", () => {
  const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  assert.equal(containerEnvironment([], { hostname: "h", tty: false }), [path, "HOSTNAME=h"]);
  assert.equal(containerEnvironment(["TERM=vt100", "PATH=/x", "A="], { hostname: "h", tty: true }), [
    "PATH=/x",
    "HOSTNAME=h",
    "TERM=vt100",
    "A=",
  ]);
  assert.equal(containerEnvironment(["HOSTNAME"], { hostname: "h", tty: false }), [path]);
});

environment("a bare name keeps the image's value away", () => {
  assert.equal(mergeEnvironment(["A"], ["A=1", "B=2"]), ["A", "B=2"]);
});

environment.run();

const capabilities = suite("engine/containers/capabilities");
const available = new Set(["CAP_CHOWN", "CAP_NET_ADMIN", "CAP_KILL"]);
const short = (names: readonly string[]): string => names.map((name) => name.slice(4)).join(" ");

for (const [what, options, expected] of [
  ["ALL is what the engine has", { add: ["ALL"] }, "CHOWN KILL NET_ADMIN"],
  ["ALL but one", { add: ["all"], drop: ["cap_kill"] }, "CHOWN NET_ADMIN"],
  ["none but one", { drop: ["ALL"], add: ["net_admin"] }, "NET_ADMIN"],
  ["none", { drop: ["ALL"] }, ""],
  ["privileged", { privileged: true, drop: ["KILL"] }, "CHOWN KILL NET_ADMIN"],
] as const) {
  capabilities(what, () => assert.is(short(containerCapabilities({ ...options, available })), expected));
}

capabilities.run();

const devices = suite("engine/containers/cgroups/device-filter");

/** Runs a device program as the kernel would. @see Documentation/bpf, the instruction set */
function allowed(program: Buffer, type: "b" | "c", access: string, major: number, minor: number): boolean {
  const bits = [...access].reduce((sum, letter) => sum | ({ m: 1, r: 2, w: 4 }[letter] ?? 0), 0);
  const context = [(bits << 16) | { b: 1, c: 2 }[type], major, minor];
  const registers = new Array<number>(11).fill(0);
  for (let at = 0; at < program.length / 8; at++) {
    const code = program.readUInt8(at * 8);
    const target = program.readUInt8(at * 8 + 1) & 15;
    const source = program.readUInt8(at * 8 + 1) >> 4;
    const offset = program.readInt16LE(at * 8 + 2);
    const number = program.readInt32LE(at * 8 + 4);
    if (code === 0x61) registers[target] = context[offset / 4]!;
    else if (code === 0x54) registers[target]! &= number;
    else if (code === 0x74) registers[target]! >>>= number;
    else if (code === 0xbc) registers[target] = registers[source]!;
    else if (code === 0x55) at += registers[target] !== number ? offset : 0;
    else if (code === 0x5d) at += registers[target] !== registers[source] ? offset : 0;
    else if (code === 0xb7) registers[target] = number;
    else if (code === 0x95) return registers[0] === 1;
    else throw new Error(`code ${code}`);
  }
  throw new Error("the program runs off its end");
}

const program = deviceProgram(DEFAULT_RULES);
for (const [type, access, major, minor, expected] of [
  ["c", "rw", 1, 3, true],
  ["c", "rwm", 1, 9, true],
  ["c", "w", 136, 7, true],
  ["c", "m", 99, 99, true],
  ["b", "m", 8, 0, true],
  ["b", "r", 8, 0, false],
  ["c", "rm", 99, 99, false],
  ["c", "r", 10, 229, false],
  ["c", "m", 10, 229, false],
  ["c", "rw", 1, 11, false],
] as const) {
  devices(`${type} ${major}:${minor} ${access} is ${expected ? "allowed" : "refused"}`, () => {
    assert.is(allowed(program, type, access, major, minor), expected);
  });
}

devices("a later rule wins, and `a` means every device", () => {
  const all: DeviceRule = { allow: true, type: "a", major: undefined, minor: undefined, access: "rwm" };
  const but: DeviceRule = { allow: false, type: "b", major: 8, minor: undefined, access: "w" };
  const open = deviceProgram([all, but]);
  assert.equal([allowed(open, "b", "r", 8, 1), allowed(open, "b", "w", 8, 1)], [true, false]);
});

devices.run();
