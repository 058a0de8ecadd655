import { suite } from "uvu";
import * as assert from "uvu/assert";
import { namedContexts, readOptions } from "../../../../engine/api/buildkit/options.ts";

const options = suite("engine/api/buildkit/options");

options("a client's options are read", () => {
  const stated = readOptions({
    "build-arg:A": "b",
    "label:tier": "web",
    target: "base",
    "no-cache": "one,two",
    "image-resolve-mode": "pull",
    "force-network-mode": "none",
    "add-hosts": "a=1.2.3.4,b=::1",
    "shm-size": "1024",
    ulimit: "nofile=10:20,core=0",
  });
  assert.equal(stated, {
    args: { A: "b" },
    labels: { tier: "web" },
    target: "base",
    platform: undefined,
    noCache: false,
    noCacheFilter: ["one", "two"],
    pull: true,
    network: "none",
    extraHosts: ["a:1.2.3.4", "b:::1"],
    shmSize: 1024,
    ulimits: [
      { Name: "nofile", Soft: 10, Hard: 20 },
      { Name: "core", Soft: 0, Hard: 0 },
    ],
  });
});

options("no-cache without stages is for all of them", () => {
  assert.is(readOptions({ "no-cache": "" }).noCache, true);
});

options("named contexts are found", () => {
  assert.equal(namedContexts({ "context:app": "local:app", context: "x" }), { app: "local:app" });
});

options.run();
