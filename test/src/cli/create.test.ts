/** Docker's flags for a new container, as what the engine is asked for. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createBody } from "../../../src/cli/create/body.ts";
import { readMount } from "../../../src/cli/create/mounts.ts";
import { AppError } from "../../../src/errors.ts";

const create = suite("cli/create");

const body = (values: Record<string, string | number | boolean | readonly string[]>) =>
  createBody("i", [], values, []) as unknown as Record<string, unknown> & {
    HostConfig: Record<string, unknown>;
  };

for (const [values, part] of [
  [{ cpus: ".5" }, { NanoCpus: 5e8 }],
  [
    { memory: "64m", "memory-swap": "-1" },
    { Memory: 67108864, MemorySwap: -1 },
  ],
  [{ restart: "on-failure:3" }, { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } }],
  [
    { ulimit: ["nofile=1:2", "core=0"] },
    {
      Ulimits: [
        { Name: "nofile", Soft: 1, Hard: 2 },
        { Name: "core", Soft: 0, Hard: 0 },
      ],
    },
  ],
  [
    { device: ["/dev/a:r", "/dev/b:/dev/c"] },
    {
      Devices: [
        { PathOnHost: "/dev/a", PathInContainer: "/dev/a", CgroupPermissions: "r" },
        { PathOnHost: "/dev/b", PathInContainer: "/dev/c", CgroupPermissions: "rwm" },
      ],
    },
  ],
  [{ gpus: "device=0,1" }, { DeviceRequests: [{ DeviceIDs: ["0", "1"], Capabilities: [["gpu"]] }] }],
  [{ tmpfs: ["/t:size=1m", "/u"] }, { Tmpfs: { "/t": "size=1m", "/u": "" } }],
  [{ "log-opt": ["max-size=1m"] }, { LogConfig: { Type: "", Config: { "max-size": "1m" } } }],
  [{ "device-read-bps": ["/dev/a:1mb"] }, { BlkioDeviceReadBps: [{ Path: "/dev/a", Rate: 1048576 }] }],
  [{ volume: ["data:/data:ro", "/anon"] }, { Binds: ["data:/data:ro"] }],
] as const) {
  create(`--${Object.keys(values).join(" --")}`, () => {
    const { HostConfig } = body(values as never);
    assert.equal(Object.fromEntries(Object.keys(part).map((key) => [key, HostConfig[key]])), part);
  });
}

create("a volume without a source has no name", () => {
  assert.equal(body({ volume: ["/anon"] })["Volumes"], { "/anon": {} });
});

create("ranges of ports are published one by one", () => {
  const { ExposedPorts, HostConfig } = body({ publish: ["8000-8001:80-81/udp"], expose: ["90"] });
  assert.equal(Object.keys(ExposedPorts as object), ["80/udp", "81/udp", "90/tcp"]);
  assert.equal(HostConfig["PortBindings"], {
    "80/udp": [{ HostIp: "", HostPort: "8000" }],
    "81/udp": [{ HostIp: "", HostPort: "8001" }],
  });
});

create("names and addresses belong to the first network", () => {
  assert.equal(body({ network: ["a", "b"], "network-alias": ["x"], ip: "10.0.0.2" })["NetworkingConfig"], {
    EndpointsConfig: { a: { IPAMConfig: { IPv4Address: "10.0.0.2" }, Aliases: ["x"] }, b: {} },
  });
});

create("checks have their times in nanoseconds", () => {
  assert.equal(body({ "health-cmd": "curl x", "health-interval": "1m30s" })["Healthcheck"], {
    Test: ["CMD-SHELL", "curl x"],
    Interval: 90e9,
  });
  assert.equal(body({ "no-healthcheck": true })["Healthcheck"], { Test: ["NONE"] });
});

create("a mount by its fields", () => {
  assert.equal(readMount("type=bind,src=/a,dst=/b,ro,bind-propagation=rslave"), {
    Type: "bind",
    Target: "/b",
    Source: "/a",
    ReadOnly: true,
    BindOptions: { Propagation: "rslave" },
  });
  assert.equal(readMount("source=v,target=/b,volume-nocopy"), {
    Type: "volume",
    Target: "/b",
    Source: "v",
    VolumeOptions: { NoCopy: true },
  });
});

for (const [what, work] of [
  ["a mount without a target", () => readMount("type=bind,src=/a")],
  ["a mount with an unknown field", () => readMount("target=/a,bogus=1")],
  ["an amount that is none", () => body({ memory: "lots" })],
  ["a port that is none", () => body({ publish: ["web"] })],
  ["a limit without a number", () => body({ ulimit: ["nofile"] })],
] as const) {
  create(`${what} is refused`, () =>
    assert.throws(work, (error: unknown) => error instanceof AppError && error.code === "USAGE"),
  );
}

create.run();
