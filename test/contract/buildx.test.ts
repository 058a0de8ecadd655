/** The stock buildx against our engine: what it sends besides a directory, and what it shows of a failure. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type CommandResult, must } from "../helpers/command.ts";
import { Sandbox } from "../helpers/sandbox.ts";

const buildx = suite("contract/buildx");

const DOCKERFILE = `FROM busybox AS secret
RUN --mount=type=secret,id=s test "$(cat /run/secrets/s)" = told
FROM busybox AS fail
RUN echo said >&2; exit 7
FROM busybox AS host
RUN grep -q lo: /proc/net/dev
FROM scratch AS files
COPY f /f
`;

let sandbox: Sandbox;
let context: string;

buildx.before(async () => {
  sandbox = await Sandbox.open();
  context = join(sandbox.directory, "context");
  mkdirSync(context);
  writeFileSync(join(context, "Dockerfile"), DOCKERFILE);
  writeFileSync(join(context, "f"), "f");
});

buildx.after(() => sandbox.close());

function build(words: readonly string[], input?: Buffer): Promise<CommandResult> {
  const options = { cwd: sandbox.directory, env: { SECRET: "told" }, ...(input && { input }) };
  return sandbox.docker(["buildx", "build", "--progress=plain", ...words], options);
}

buildx("an archive on standard input is a context, with secrets", async () => {
  const tar = Buffer.from(await must(["sh", "-c", `tar c -C ${context} . | base64 -w0`]), "base64");
  const { status, stderr } = await build(["--target", "secret", "--secret", "id=s,env=SECRET", "-"], tar);
  assert.is(status, 0, stderr);
});

buildx("a failure is shown with its place in the Dockerfile", async () => {
  const { status, stderr } = await build(["--target", "fail", context]);
  assert.is(status, 1);
  assert.match(stderr, /^Dockerfile:4\n-+\n {3}2 \|.*\n.*\n {3}4 \| >>> RUN echo said >&2; exit 7$/m);
});

buildx("the host's network needs to be allowed, and is", async () => {
  const words = ["--target", "host", "--network", "host", "--allow", "network.host"];
  const { status, stderr } = await build([...words, context]);
  assert.is(status, 0, stderr);
});

buildx("an image is named in full in the metadata, and takes its cache along", async () => {
  const metadata = join(sandbox.directory, "metadata.json");
  const words = [
    "-t",
    "app:1",
    "--target",
    "files",
    "--cache-to",
    "type=inline",
    "--metadata-file",
    metadata,
  ];
  const { status, stderr } = await build([...words, context]);
  assert.is(status, 0, stderr);
  const config = await sandbox.docker(["save", "app:1"]);
  assert.match(config.stdout, /moby\.buildkit\.cache\.v0/);
  assert.match(await must(["cat", metadata]), /"image.name": "docker.io\/library\/app:1"/);
});

buildx.run();
