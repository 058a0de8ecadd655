/** The stock docker compose brings a project up and down with our engine. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { until } from "../helpers/command.ts";
import { Sandbox } from "../helpers/sandbox.ts";

const compose = suite("contract/compose");
let sandbox: Sandbox;
const project = mkdtempSync(join(tmpdir(), "slipway-compose-"));

compose.before(async () => {
  writeFileSync(
    join(project, "compose.yaml"),
    `name: contract
services:
  db:
    image: busybox
    command: sh -c 'touch /data/ready; echo db is up; exec sleep 1000'
    stop_signal: SIGKILL
    volumes: [data:/data]
    networks: [back]
    healthcheck:
      test: test -f /data/ready
      interval: 1s
  job:
    image: busybox
    command: sh -c 'echo migrated >/data/schema'
    volumes: [data:/data]
    networks: [back]
    depends_on:
      db: { condition: service_healthy }
  web:
    image: busybox
    command: sh -c 'mkdir /www; cat /data/schema /run/config >/www/index.html; exec httpd -f -p 80 -h /www'
    init: true
    stop_grace_period: 1s
    volumes: [data:/data:ro]
    networks: [front, back]
    ports: ["8081:80"]
    configs: [{ source: words, target: /run/config }]
    depends_on:
      job: { condition: service_completed_successfully }
networks: { front: {}, back: { internal: true } }
volumes: { data: {} }
configs: { words: { content: "configured\\n" } }
`,
  );
  sandbox = await Sandbox.open();
});
compose.after(async () => {
  rmSync(project, { recursive: true });
  await sandbox?.close();
});

async function ok(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await sandbox.docker(["compose", "--progress", "plain", ...args], {
    cwd: project,
  });
  assert.is(status, 0, `docker compose ${args.join(" ")}: exit ${status}: ${stderr}${stdout}`);
  return stdout.trim();
}

compose("up --wait starts everything in order", async () => {
  await ok("up", "-d", "--wait", "web", "db");
  const fetch = ["busybox", "wget", "-q", "-O-", "http://127.0.0.1:8081/"];
  let page = await sandbox.inside(fetch);
  for (let i = 0; i < 20 && page.status !== 0; i++) page = await sandbox.inside(fetch);
  assert.is(page.stdout, "migrated\nconfigured\n");
});

compose("ps and logs show the project", async () => {
  const states = await ok("ps", "-a", "--format", "{{.Service}} {{.State}} {{.Health}} {{.ExitCode}}");
  assert.equal(
    states
      .split("\n")
      .map((line) => line.trim())
      .sort(),
    ["db running healthy 0", "job exited  0", "web running  0"],
  );
  assert.match(await ok("logs", "db"), /db is up/);
  assert.match(await ok("ls"), /contract\s+running\(2\)/);
});

compose("a second up changes nothing", async () => {
  const before = await ok("ps", "-q");
  await ok("up", "-d", "web", "db");
  assert.is(await ok("ps", "-q"), before);
});

compose("exec and run reach the services", async () => {
  assert.is(await ok("exec", "-T", "db", "ls", "/data"), "ready\nschema");
  assert.is(await ok("run", "--rm", "-T", "--no-deps", "web", "cat", "/data/schema"), "migrated");
  assert.match(await ok("exec", "-T", "web", "ping", "-c1", "-W2", "db"), / 0% packet loss/);
});

compose("a changed service is recreated", async () => {
  const before = await ok("ps", "-q", "db");
  writeFileSync(join(project, "override.yaml"), "services: { db: { environment: { A: b } } }\n");
  await ok("-f", "compose.yaml", "-f", "override.yaml", "up", "-d", "db");
  assert.is.not(await ok("ps", "-q", "db"), before);
});

compose("stop, start and restart", async () => {
  await ok("stop", "-t", "0");
  assert.is(await ok("ps", "-q"), "");
  await ok("start", "db");
  await ok("restart", "-t", "0", "db");
  assert.is((await ok("ps", "--services")).trim(), "db");
});

compose("up --build builds what a service says, and again only what changed", async () => {
  const context = join(project, "built");
  mkdirSync(context);
  writeFileSync(
    join(context, "Dockerfile"),
    "FROM busybox\nARG WHO\nRUN echo built for $WHO >/who\nCMD cat /who\n",
  );
  writeFileSync(
    join(context, "compose.yaml"),
    "name: built\nservices:\n  app:\n    build: { context: ., args: { WHO: me } }\n",
  );
  const at = ["-f", join(context, "compose.yaml")];
  assert.match(await ok(...at, "run", "--rm", "-T", "--build", "app"), /built for me/);
  const id = async () => (await sandbox.docker(["image", "inspect", "-f", "{{.Id}}", "built-app"])).stdout;
  await ok(...at, "build");
  const before = await id();
  await ok(...at, "build");
  assert.is(await id(), before);
  await ok(...at, "build", "--build-arg", "WHO=you");
  assert.is.not(await id(), before);
  await ok(...at, "down", "--rmi", "local");
});

compose("watch brings a saved file into its container", async () => {
  const context = join(project, "watched");
  mkdirSync(join(context, "src"), { recursive: true });
  writeFileSync(join(context, "src", "page"), "before\n");
  writeFileSync(join(context, "Dockerfile"), "FROM busybox\nCOPY src /src\nCMD sleep 1000\n");
  const watch = [{ path: "./src", action: "sync", target: "/src" }];
  const services = { app: { build: ".", stop_signal: "SIGKILL", develop: { watch } } };
  writeFileSync(join(context, "compose.yaml"), JSON.stringify({ name: "watched", services }));
  const at = ["-f", join(context, "compose.yaml")];
  await ok(...at, "up", "-d", "--build");
  const stop = new AbortController();
  const watching = sandbox.docker(["compose", ...at, "watch"], { signal: stop.signal });
  let text = 0;
  // Nobody is told when it has begun to watch: the file is saved until one of them is seen.
  await until("the saved file is in the container", async () => {
    writeFileSync(join(context, "src", "page"), `saved ${++text}\n`);
    await new Promise((done) => setTimeout(done, 700));
    return (await ok(...at, "exec", "-T", "app", "cat", "/src/page")).startsWith("saved");
  });
  stop.abort();
  await watching;
  await ok(...at, "down", "-t", "0", "--rmi", "local");
});

compose("down -v leaves nothing", async () => {
  await ok("down", "-v", "-t", "0");
  assert.is((await sandbox.docker(["ps", "-aq"])).stdout, "");
  assert.is((await sandbox.docker(["volume", "ls", "-q"])).stdout, "");
  assert.not.match((await sandbox.docker(["network", "ls"])).stdout, /contract/);
});

compose.run();
