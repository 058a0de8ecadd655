/** Containers started, ended and watched over: the marks of the runtime beside dockerd's and runc's figures. */
import type { EngineClient } from "../../src/client/client.ts";
import { clientOf } from "../../src/client/connect.ts";
import type { Sandbox } from "../helpers/sandbox.ts";
import type { Row } from "./measure.ts";
import type { Peer } from "./peer.ts";
import { benchIdle } from "./runtime/idle.ts";
import { benchLifecycle } from "./runtime/lifecycle.ts";
import { benchLog } from "./runtime/log.ts";
import { benchNative } from "./runtime/native.ts";

export async function benchRuntime(sandbox: Sandbox, peer: Peer | undefined): Promise<Row[]> {
  const dockerd = peer && clientOfPeer(peer);
  try {
    return [
      ...(await benchNative(sandbox)),
      ...(await benchLifecycle(sandbox.client, dockerd)),
      ...(await benchLog(sandbox.client, dockerd)),
      ...(await benchIdle(sandbox, dockerd)),
    ];
  } finally {
    dockerd?.close();
  }
}

function clientOfPeer({ env }: Peer): EngineClient {
  const host = env["DOCKER_HOST"] ?? "";
  return clientOf(host, { socketPath: host.slice("unix://".length) });
}
