import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Agents } from "../../../../engine/api/buildkit/agents.ts";
import { GrpcError } from "../../../../engine/api/buildkit/grpc.ts";
import { AgentRequest, Bytes } from "../../../../engine/api/buildkit/messages.ts";
import type { BuildSession } from "../../../../engine/api/buildkit/sessions.ts";

const agents = suite("engine/api/buildkit/agents");

/** A client with one agent, which sends back what it is sent, in capitals. */
function session(): BuildSession {
  const methods = new Set(["/moby.sshforward.v1.SSH/CheckAgent", "/moby.sshforward.v1.SSH/ForwardAgent"]);
  const client = {
    async call(_path: string, _request: unknown, _answer: unknown, { id }: { id: string }) {
      AgentRequest.encode({ id });
      if (id !== "default") throw new GrpcError(2, `unset ssh forward key ${id}`);
      return {};
    },
    open(_path: string, headers: Record<string, string>) {
      assert.is(headers["buildkit.ssh.id"], "default");
      const queue: Buffer[] = [];
      let wake = (): void => {};
      let ended = false;
      return {
        messages: (async function* () {
          for (;;) {
            const next = queue.shift();
            if (next !== undefined) yield next;
            else if (ended) return;
            else await new Promise<void>((resolve) => (wake = resolve));
          }
        })(),
        async send(message: Buffer) {
          const data = Buffer.from(Bytes.decode(message).data.toString().toUpperCase());
          queue.push(Bytes.encode({ data }));
          wake();
        },
        end() {
          ended = true;
          wake();
        },
      };
    },
  };
  return { client, methods } as unknown as BuildSession;
}

agents("a connection to the socket is the client's agent's, and nothing stays", async () => {
  const parent = mkdtempSync("/var/tmp/slw-agents-");
  try {
    {
      await using open = new Agents(session(), parent);
      assert.is(await open.find("other"), undefined);
      const path = await open.find("default");
      assert.is(await open.find("default"), path, "one socket an agent");
      const connection = connect(path!);
      connection.end("who are you");
      let answer = "";
      for await (const chunk of connection.setEncoding("utf8")) answer += chunk;
      assert.is(answer, "WHO ARE YOU");
    }
    assert.equal(readdirSync(parent), []);
  } finally {
    rmSync(join(parent), { recursive: true });
  }
});

agents.run();
