import { suite } from "uvu";
import * as assert from "uvu/assert";
import { withApiSocket } from "../../../src/verbs/socket.ts";
import { rejects } from "../../helpers/rejects.ts";
import { fakeEngine, recorder } from "../engine.ts";
import { project } from "../project.ts";

const socket = suite("verbs/socket");

const context = (address: string) => {
  const { signal } = new AbortController();
  const env = { DOCKER_CONFIG: "/nowhere" };
  return { engine: fakeEngine({ address }), report: recorder(), signal, insist: signal, env, parallel: 1 };
};

const shop = project({ web: { use_api_socket: true }, db: {} });

socket("a service that asks for it gets the engine's socket and the logins", async () => {
  const { services, configs } = await withApiSocket(shop, context("unix:///run/x.sock"));
  assert.equal(services["web"]!.volumes, [
    {
      type: "bind",
      source: "/run/x.sock",
      target: "/var/run/docker.sock",
      bind: { create_host_path: false },
    },
  ]);
  assert.equal(services["web"]!.environment, { DOCKER_CONFIG: "/run/secrets/docker" });
  assert.is(configs[services["web"]!.configs![0]!.source]!.content, '{"auths":{}}');
  assert.is(services["db"], shop.services["db"]);
});

socket("an engine that has none here is told before anything is touched", async () => {
  await rejects(withApiSocket(shop, context("tcp://10.0.0.1:2375")), "COMPOSE_VALUE");
});

socket.run();
