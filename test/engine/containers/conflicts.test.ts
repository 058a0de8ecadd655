/** What a create call is refused for before anything is made; the words are Docker's. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { refuseConflicts } from "../../../engine/containers/conflicts.ts";
import { checkCreateShape, checkUpdateShape } from "../../../engine/containers/shape.ts";
import type { CreateRequest } from "../../../engine/containers/types.ts";

const conflicts = suite("engine/containers/conflicts");

const shared = { NetworkMode: "container:other" };
for (const [request, message] of [
  [{ HostConfig: { NetworkMode: "container:" } }, "invalid container format container:<name|id>"],
  [{ Hostname: "h", HostConfig: shared }, "conflicting options: hostname and the network mode"],
  [{ HostConfig: { ...shared, Dns: ["1.1.1.1"] } }, "conflicting options: dns and the network mode"],
  [{ HostConfig: { ...shared, ExtraHosts: ["a:1.1.1.1"] } }, "custom host-to-IP mapping"],
  [{ HostConfig: { ...shared, PortBindings: { "80/tcp": [{}] } } }, "port publishing"],
  [{ HostConfig: { ...shared, PublishAllPorts: true } }, "port publishing"],
  [{ ExposedPorts: { "80/tcp": {} }, HostConfig: shared }, "port exposing"],
  [{ HostConfig: { ...shared, Links: ["a"] } }, "container type network can't be used with links"],
  [{ Hostname: "h", HostConfig: { UTSMode: "host" } }, "hostname and the UTS mode"],
  [{ HostConfig: { Sysctls: { "vm.swappiness": "1" } } }, "not in a separate kernel namespace"],
  [{ HostConfig: { Sysctls: { "kernel.hostname": "x" } } }, "not in a separate kernel namespace"],
  [{ HostConfig: { Sysctls: { "net/../vm/swappiness": "1" } } }, "is not the name of a setting"],
  [
    { HostConfig: { NetworkMode: "host", Sysctls: { "net.ipv4.ip_forward": "1" } } },
    "host network namespace",
  ],
  [{ HostConfig: { IpcMode: "host", Sysctls: { "kernel.shmmax": "1" } } }, "hosts ipc namespace"],
  [{ Healthcheck: { Test: ["MAYBE"] } }, "Unknown healthcheck type"],
  [{ Healthcheck: { Interval: 1 } }, "Interval in Healthcheck cannot be less than 1ms"],
  [{ Healthcheck: { Retries: -1 } }, "Retries in Healthcheck cannot be negative"],
  [{ HostConfig: { RestartPolicy: { Name: "sometimes" } } }, "unknown policy 'sometimes'"],
  [{ HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: -1 } } }, "cannot be negative"],
  [
    { HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 2 } } },
    "only be used with 'on-failure'",
  ],
] as const) {
  conflicts(`${JSON.stringify(request)}: ${message}`, () => {
    assert.throws(
      () => refuseConflicts(request as unknown as CreateRequest),
      (error: Error) => error.message.includes(message),
    );
  });
}

conflicts("settings of a container's own namespaces are its own", () => {
  const Sysctls = { "net.ipv4.ip_forward": "1", "kernel.shmmax": "1", "fs.mqueue.msg_max": "20" };
  refuseConflicts({ HostConfig: { Sysctls, NetworkMode: "container:other", IpcMode: "container:other" } });
});

for (const [body, message] of [
  [
    { HostConfig: { Memory: "x" } },
    "cannot unmarshal string into Go struct field HostConfig.Memory of type int64",
  ],
  [
    { HostConfig: { Binds: "x" } },
    "cannot unmarshal string into Go struct field HostConfig.Binds of type []string",
  ],
  [{ Env: [1] }, "cannot unmarshal array into Go struct field ContainerConfigWrapper.Env of type []string"],
  [{ Tty: "yes" }, "of type bool"],
  [{ Labels: { a: 1 } }, "of type map[string]string"],
  [
    { Healthcheck: { Interval: 1.5 } },
    "cannot unmarshal number 1.5 into Go struct field Healthcheck.Interval",
  ],
] as const) {
  conflicts(`${JSON.stringify(body)} is refused: ${message}`, () => {
    assert.throws(
      () => checkCreateShape(body),
      (error: Error) => error.message.includes(message),
    );
  });
}

conflicts("null is as if it were absent, and what nobody knows is let by", () => {
  checkCreateShape({ Env: null, Image: "a", Cmd: "text or list", HostConfig: { Memory: null, Novelty: 1 } });
  assert.throws(() => checkUpdateShape({ CpuShares: "many" }), /UpdateConfig.CpuShares/);
});

conflicts.run();
