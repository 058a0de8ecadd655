import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkServices } from "../../../src/reconcile/check.ts";
import { engineWords } from "../../../src/reconcile/words.ts";
import { project } from "../project.ts";

const check = suite("reconcile/check and words");

check("what cannot be done is refused, not left out", async () => {
  const shop = project({
    ai: { models: { llm: {} } },
    web: { credential_spec: { file: "x" }, models: {} },
  });
  const found = await checkServices(shop, ["ai", "web"], true);
  assert.equal(
    found.map(({ message }) => message),
    [
      "ai: models, which need a model runner, are not supported",
      "web: credential specs, which are Windows' are not supported",
    ],
  );
});

check("an interface's name is refused, as the engine would leave it out", async () => {
  const shop = project({ web: { networks: { default: { interface_name: "eth9" } } } });
  assert.equal(
    (await checkServices(shop, ["web"], true)).map(({ message }) => message),
    ["web: the engine cannot name the interface of network default"],
  );
});

check("secrets and configs of a store are refused before anything is touched", async () => {
  const shop = project(
    { web: { secrets: [{ source: "k" }], configs: [{ source: "c" }] } },
    { secrets: { k: { name: "k", external: true } }, configs: { c: { name: "c", content: "x" } } },
  );
  assert.equal(
    (await checkServices(shop, ["web"], true)).map(({ code, message }) => `${code} ${message}`),
    ["COMPOSE_VALUE web: secret k is external, and there is no store to take it from"],
  );
});

check("a source that is not to be created has to be there, as far as it can be seen from here", async () => {
  const volumes = [
    { type: "bind", source: "/nowhere", target: "/a", bind: { create_host_path: false } },
    { type: "bind", source: "/nowhere", target: "/b" },
  ] as const;
  const shop = project({ web: { volumes } });
  assert.equal(
    (await checkServices(shop, ["web"], true)).map(({ code, message }) => `${code} ${message}`),
    ["SOURCE_MISSING web: /nowhere does not exist, and is not to be created"],
  );
  assert.equal(await checkServices(shop, ["web"], false), []);
});

const RUNC =
  "failed to create task for container: OCI runtime create failed: runc create failed: unable to start container process: ";
for (const [text, kind, message] of [
  [
    `${RUNC}exec: "nope": executable file not found in $PATH: unknown`,
    "missing",
    'the program "nope" is not in the image',
  ],
  [
    `${RUNC}exec: "/etc/passwd": permission denied: unknown`,
    "refused",
    'the program "/etc/passwd" cannot be executed: permission denied',
  ],
  [
    `${RUNC}chdir to cwd ("/x") failed: no such file or directory: unknown`,
    undefined,
    'chdir to cwd ("/x") failed: no such file or directory',
  ],
  ["no space left on device", undefined, "no space left on device"],
] as const) {
  check(`the engine's words come to: ${message}`, () => {
    const words = engineWords(text);
    assert.is(words.kind, kind);
    assert.is(words.message, message);
  });
}

check.run();
