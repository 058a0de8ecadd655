import { suite } from "uvu";
import * as assert from "uvu/assert";
import { defaultPlaces as daemonPlaces, parseOptions } from "../../../engine/options.ts";
import { defaultPlaces, findAddress } from "../../../src/client/address.ts";

const address = suite("src/client/address");

for (const [what, host, env, expected] of [
  ["--host goes first", "unix:///a", { SLIPWAY_HOST: "unix:///b", DOCKER_HOST: "unix:///c" }, "unix:///a"],
  [
    "SLIPWAY_HOST goes before DOCKER_HOST",
    undefined,
    { SLIPWAY_HOST: "unix:///b", DOCKER_HOST: "unix:///c" },
    "unix:///b",
  ],
  [
    "DOCKER_HOST goes before the default",
    undefined,
    { DOCKER_HOST: "tcp://127.0.0.1:2375" },
    "tcp://127.0.0.1:2375",
  ],
  ["an empty variable is none", undefined, { DOCKER_HOST: "" }, "unix:///run/slipway/slipway.sock"],
] as const) {
  address(what, () => {
    const found = findAddress(host, 0, env);
    assert.is(found.text, expected);
    assert.is(found.isDefault, expected === "unix:///run/slipway/slipway.sock");
  });
}

address("an IPv6 address and a port are read", () => {
  assert.equal(findAddress("tcp://[::1]:99", 0, {}).endpoint, { host: "::1", port: 99 });
});

address("another kind of address is a mistake of usage", () => {
  assert.throws(() => findAddress("ssh://host", 0, {}), /ssh:\/\/host is no address of an engine/);
});

for (const [uid, env] of [
  [0, {}],
  [1000, { HOME: "/home/a", XDG_RUNTIME_DIR: "/run/user/1000" }],
  [1000, { HOME: "/home/a", XDG_DATA_HOME: "/data" }],
] as const) {
  address(`client and daemon agree on the places of user ${uid} with ${JSON.stringify(env)}`, () => {
    const { dataRoot, execRoot, socket } = defaultPlaces(uid, env);
    assert.equal({ dataRoot, execRoot }, daemonPlaces(uid, env));
    const options = parseOptions([], uid, env);
    assert.is(typeof options === "object" && options.socket, socket);
  });
}

address.run();
