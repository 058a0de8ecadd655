/** The commands of a working day on a project of busybox services: each does what its name says to real containers. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readTar } from "../../src/build/untar.ts";
import { type CommandOptions, type CommandResult, until } from "../helpers/command.ts";
import { Sandbox } from "../helpers/sandbox.ts";

const commands = suite("scenario: the commands");
let sandbox: Sandbox;
let cwd: string;

commands.before(async () => {
  sandbox = await Sandbox.open();
  cwd = join(sandbox.directory, "work");
  mkdirSync(join(cwd, "src"), { recursive: true });
});

commands.after(async () => {
  await sandbox.close();
});

/** Ends at once on SIGTERM, as a well-made service does. */
const LOOP = "trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done";

function write(services: string): void {
  writeFileSync(join(cwd, "compose.yaml"), `name: work\n${services}`);
}

function slipway(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return sandbox.slipway(args, { cwd, ...options });
}

async function done(...args: string[]): Promise<CommandResult> {
  const result = await slipway(args);
  assert.is(result.status, 0, `slipway ${args.join(" ")}\n${result.stdout}${result.stderr}`);
  return result;
}

commands.after.each(async () => {
  await done("down", "-v", "-t", "0", "--remove-orphans");
});

commands("an attached up shows who says what, and stops in order on SIGINT", async () => {
  write(`services:
  web: { image: busybox, command: [sh, -c, "echo from web; ${LOOP}"], depends_on: [db] }
  db: { image: busybox, command: [sh, -c, "echo from db; ${LOOP}"] }
`);
  const up = sandbox.startSlipway(["up"], { cwd });
  await until(
    "both have spoken",
    () => /web-1 +\| from web/.test(up.output()) && /db-1 +\| from db/.test(up.output()),
  );
  assert.is(await up.stop(), 130);
  const text = up.output();
  const [web, db] = ["web-1 exited with code 0", "db-1 exited with code 0"].map((line) => text.indexOf(line));
  assert.ok(web! >= 0 && web! < db!, text);
});

commands("--exit-code-from ends all with that service's status", async () => {
  write(`services:
  tests: { image: busybox, command: [sh, -c, "sleep 0.3; exit 5"], depends_on: [web] }
  web: { image: busybox, command: [sh, -c, "${LOOP}"] }
  job: { image: busybox, command: ["true"] }
`);
  const { status, stdout } = await slipway(["up", "--exit-code-from", "tests"]);
  assert.is(status, 5, stdout);
  assert.is((await done("ps", "-q")).stdout, "");
});

commands("exec and run end with the program's status, and pass input through", async () => {
  write(`services: { web: { image: busybox, command: [sh, -c, "${LOOP}"], environment: { WHO: web } } }\n`);
  await done("up", "-d");
  assert.is((await slipway(["exec", "web", "sh", "-c", "exit 7"])).status, 7);
  assert.is((await slipway(["exec", "-T", "web", "cat"], { input: "through" })).stdout, "through");
  assert.is((await done("exec", "-e", "A=b c", "web", "sh", "-c", "echo $WHO $A")).stdout, "web b c\n");
  assert.is((await slipway(["run", "--rm", "web", "sh", "-c", "echo $WHO; exit 3"])).status, 3);
  assert.is((await slipway(["run", "--rm", "web", "nosuchprogram"])).status, 127);
  assert.is((await done("container", "ls", "-aq")).stdout.trim().split("\n").length, 1);
});

commands("a secret from the environment and a config's content are files in the container", async () => {
  write(`services:
  web:
    image: busybox
    command: [sh, -c, "${LOOP}"]
    secrets: [{ source: pw, mode: 0400, uid: "7" }]
    configs: [{ source: conf, target: /etc/web.conf }]
secrets: { pw: { environment: PW } }
configs: { conf: { content: "level=\${LEVEL:-3}" } }
`);
  const { status } = await slipway(["up", "-d"], { env: { PW: "sesame" } });
  assert.is(status, 0);
  const { stdout } = await done(
    "exec",
    "web",
    "sh",
    "-c",
    "cat /run/secrets/pw /etc/web.conf; stat -c ' %u %a' /run/secrets/pw",
  );
  assert.is(stdout, "sesamelevel=3 7 400\n");
});

commands("cp goes both ways, also with folders", async () => {
  write(`services: { web: { image: busybox, command: [sh, -c, "${LOOP}"] } }\n`);
  await done("up", "-d");
  mkdirSync(join(cwd, "in/deep"), { recursive: true });
  writeFileSync(join(cwd, "in/deep/file"), "content");
  await done("cp", "in", "web:/tmp");
  await done("cp", "web:/tmp/in", "out");
  assert.is(readFileSync(join(cwd, "out/deep/file"), "utf8"), "content");
});

commands("logs come merged by time, and as asked for", async () => {
  write(`services:
  a: { image: busybox, command: [sh, -c, "echo one; sleep 0.4; echo three"] }
  b: { image: busybox, command: [sh, -c, "sleep 0.2; echo two"] }
`);
  await done("up", "-d");
  await done("wait", "a", "b");
  assert.is((await done("logs", "--no-log-prefix")).stdout, "one\ntwo\nthree\n");
  assert.is((await done("logs", "--no-log-prefix", "--tail", "1", "a")).stdout, "three\n");
  assert.match((await done("logs", "-f", "b")).stdout, /^b-1 +\| two\n$/);
});

commands("scale, stop, start and ps agree", async () => {
  write(`services: { web: { image: busybox, command: [sh, -c, "${LOOP}"] } }\n`);
  await done("up", "-d", "--scale", "web=2");
  const states = async (): Promise<string> => {
    const { stdout } = await done("ps", "-a", "--format", "json");
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { Name: string; State: string })
      .map(({ Name, State }) => `${Name} ${State}`)
      .join(", ");
  };
  assert.is(await states(), "work-web-1 running, work-web-2 running");
  await done("stop");
  assert.is(await states(), "work-web-1 exited, work-web-2 exited");
  await done("start");
  await done("scale", "web=1");
  assert.is(await states(), "work-web-1 running");
  assert.is((await slipway(["plan", "--exit-code"])).status, 0);
  assert.is((await slipway(["plan", "--exit-code", "--scale", "web=2"])).status, 2);
});

commands("a saved file is in the container, and a removed one is not", async () => {
  writeFileSync(join(cwd, "src/index.html"), "old");
  write(`services:
  web:
    image: busybox
    command: [sh, -c, "${LOOP}"]
    develop: { watch: [{ path: ./src, action: sync, target: /srv, initial_sync: true }] }
`);
  await done("up", "-d");
  const watch = sandbox.startSlipway(["watch", "--no-up"], { cwd });
  try {
    await until("it watches", () => watch.output().includes("watching"));
    const { Id } = (await sandbox.client.listContainers())[0]!;
    for (const saved of ["first", "second", "third"]) {
      writeFileSync(join(cwd, "src/index.html"), saved);
      await until("the file is there", async () => (await content(Id)) === saved);
    }
    rmSync(join(cwd, "src/index.html"));
    await until("it is gone there, too", async () => (await content(Id)) === undefined);
  } finally {
    await watch.stop();
  }
});

/** The text of the synced file, read without starting a program. */
async function content(id: string): Promise<string | undefined> {
  try {
    const { tar } = await sandbox.client.getArchive(id, "/srv/index.html");
    for await (const { content: body } of readTar(tar)) return await text(body);
    return undefined;
  } catch {
    return undefined;
  }
}

commands.run();
