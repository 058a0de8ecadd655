/** Dev containers: what editors run through `@devcontainers/cli` to work inside a container. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { libraries, stockClients } from "../helpers/clients.ts";
import type { CommandResult } from "../helpers/command.ts";
import { Sandbox } from "../helpers/sandbox.ts";

const devcontainers = suite("contract/devcontainers");
let sandbox: Sandbox;
let program: string;
let directory: string;
devcontainers.before(async () => {
  program = join(await libraries(), "node_modules/@devcontainers/cli/devcontainer.js");
  directory = mkdtempSync("/var/tmp/slw-dev-");
  sandbox = await Sandbox.open();
});
devcontainers.after(async () => {
  await sandbox?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs `devcontainer VERB --workspace-folder FOLDER` with the stock docker, compose and buildx in reach. */
async function devcontainer(folder: string, verb: string, ...args: string[]): Promise<CommandResult> {
  const { docker, config } = await stockClients();
  const argv = [
    program,
    verb,
    "--workspace-folder",
    folder,
    "--user-data-folder",
    join(directory, "user"),
    ...args,
  ];
  const result = await sandbox.inside([process.execPath, ...argv], {
    env: {
      ...process.env,
      DOCKER_HOST: sandbox.host,
      DOCKER_CONFIG: config,
      PATH: `${join(docker, "..")}:${process.env.PATH}`,
    },
    limitMs: 120_000,
  });
  assert.is(result.status, 0, `${result.stdout}\n${result.stderr}`);
  return result;
}

/** Makes a workspace: file name → content. */
function workspace(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(directory, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), content);
    if (path.endsWith(".sh")) chmodSync(join(folder, path), 0o755);
  }
  return folder;
}

const hello = {
  ".devcontainer/hello/devcontainer-feature.json": JSON.stringify({
    ...{ id: "hello", version: "1.0.0", name: "Hello" },
    options: { greeting: { type: "string", default: "nothing" } },
  }),
  ".devcontainer/hello/install.sh": '#!/bin/sh\necho "$GREETING" > /hello\n',
};

devcontainers("an image with a feature is built, started and entered", async () => {
  const folder = workspace("image", {
    ...hello,
    "file.txt": "of the workspace\n",
    ".devcontainer/devcontainer.json": JSON.stringify({
      image: "busybox",
      remoteUser: "root",
      features: { "./hello": { greeting: "hi there" } },
      containerEnv: { COLOUR: "blue" },
      mounts: [{ type: "volume", source: "cache", target: "/cache" }],
      postCreateCommand: "echo created >/cache/made",
    }),
  });
  await devcontainer(folder, "up");
  const seen = await devcontainer(
    folder,
    "exec",
    "sh",
    "-c",
    "cat /hello file.txt /cache/made; echo $COLOUR",
  );
  assert.is(seen.stdout, "hi there\nof the workspace\ncreated\nblue\n");
  const again = await devcontainer(folder, "up");
  assert.match(again.stdout, /"outcome":"success"/);
  assert.is((await sandbox.client.listContainers({ all: true })).length, 1);
});

devcontainers("a service of a Compose project with a Dockerfile and a feature", async () => {
  const folder = workspace("compose", {
    ...hello,
    ".devcontainer/Dockerfile": "FROM busybox\nARG WHO\nRUN echo built for $WHO >/built\n",
    ".devcontainer/compose.yml":
      "services:\n  app:\n    build: {context: ., args: {WHO: me}}\n    command: sleep 1000\n    volumes: ['..:/workspace']\n" +
      "  db: {image: busybox, command: sleep 1000}\n",
    ".devcontainer/devcontainer.json": JSON.stringify({
      ...{
        dockerComposeFile: "compose.yml",
        service: "app",
        workspaceFolder: "/workspace",
        remoteUser: "root",
      },
      features: { "./hello": {} },
    }),
  });
  await devcontainer(folder, "up");
  const seen = await devcontainer(
    folder,
    "exec",
    "sh",
    "-c",
    "cat /hello /built; ping -c 1 -w 5 db >/dev/null && echo db",
  );
  assert.is(seen.stdout, "nothing\nbuilt for me\ndb\n");
});

devcontainers.run();
