/** The stock docker command line on files, volumes, networks, images and events. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Sandbox } from "../helpers/sandbox.ts";

const docker = suite("contract/objects");
let sandbox: Sandbox;
const files = mkdtempSync(join(tmpdir(), "slipway-contract-"));
docker.before(async () => {
  sandbox = await Sandbox.open();
});
docker.after(async () => {
  rmSync(files, { recursive: true });
  await sandbox?.close();
});

async function ok(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await sandbox.docker(args);
  assert.is(status, 0, `docker ${args.join(" ")}: exit ${status}: ${stderr}`);
  return stdout.trim();
}

async function fails(...args: string[]): Promise<string> {
  const { status, stderr } = await sandbox.docker(args);
  assert.is.not(status, 0, `docker ${args.join(" ")} does not fail`);
  return stderr.trim();
}

docker("cp copies into a created container and out of a stopped one", async () => {
  const source = join(files, "note");
  writeFileSync(source, "written outside\n", { mode: 0o640 });
  await ok("create", "--name", "files", "busybox", "sh", "-c", "cat /tmp/note; echo inside >/tmp/answer");
  await ok("cp", source, "files:/tmp/note");
  assert.is(await ok("start", "-a", "files"), "written outside");
  await ok("cp", "files:/tmp/answer", join(files, "answer"));
  assert.is(readFileSync(join(files, "answer"), "utf8"), "inside\n");
  assert.match(
    await fails("cp", "files:/no/such", files),
    /Could not find the file \/no\/such in container files/,
  );
  assert.match(await ok("diff", "files"), /A \/tmp\/answer/);
  await ok("rm", "files");
});

docker("a named volume keeps its data, and cannot go while it is used", async () => {
  assert.is(await ok("volume", "create", "--label", "a=b", "data"), "data");
  await ok("run", "--rm", "-v", "data:/data", "busybox", "sh", "-c", "echo kept >/data/file");
  assert.is(await ok("run", "--rm", "-v", "data:/data:ro", "busybox", "cat", "/data/file"), "kept");
  assert.is(await ok("volume", "ls", "-q", "--filter", "label=a=b"), "data");
  assert.is(await ok("volume", "inspect", "-f", "{{.Driver}} {{.Labels.a}}", "data"), "local b");
  await ok("create", "--name", "user", "-v", "data:/data", "busybox", "true");
  assert.match(await fails("volume", "rm", "data"), /volume is in use/);
  await ok("rm", "user");
  await ok("volume", "rm", "data");
  assert.match(await fails("volume", "inspect", "data"), /get data: no such volume/);
});

docker("a bind mount shows the host's files", async () => {
  writeFileSync(join(files, "bound"), "of the host");
  assert.is(
    await ok("run", "--rm", "-v", `${files}:/host:ro`, "busybox", "cat", "/host/bound"),
    "of the host",
  );
  assert.match(
    await fails("run", "--rm", "--mount", "type=bind,source=/no/such,target=/x", "busybox", "true"),
    /bind source path does not exist: \/no\/such/,
  );
});

docker("anonymous volumes go with rm -v", async () => {
  await ok("run", "--name", "anon", "-v", "/data", "busybox", "true");
  assert.match(await ok("volume", "ls", "-q"), /^[0-9a-f]{64}$/);
  await ok("rm", "-v", "anon");
  assert.is(await ok("volume", "ls", "-q"), "");
});

docker("containers of a network find each other by name, others do not", async () => {
  await ok("network", "create", "--label", "a=b", "backend");
  assert.match(await ok("network", "ls", "--format", "{{.Name}} {{.Driver}}"), /^backend bridge$/m);
  await ok(
    "run",
    "-d",
    "--name",
    "server",
    "--network",
    "backend",
    "--network-alias",
    "db",
    "busybox",
    "sleep",
    "1000",
  );
  assert.match(
    await ok("run", "--rm", "--network", "backend", "busybox", "ping", "-c1", "-W2", "server"),
    / 0% packet loss/,
  );
  assert.match(await ok("run", "--rm", "--network", "backend", "busybox", "nslookup", "db"), /Address/);
  await fails("run", "--rm", "busybox", "ping", "-c1", "-W1", "server");
  assert.match(
    await ok("network", "inspect", "-f", "{{range .Containers}}{{.Name}}{{end}}", "backend"),
    /^server$/,
  );
  assert.match(await fails("network", "rm", "backend"), /has active endpoints/);
  await ok("rm", "-f", "server");
  await ok("network", "rm", "backend");
  assert.match(await fails("network", "inspect", "backend"), /network backend not found/);
});

docker("a published port is reached from the host, and taken once", async () => {
  const serve = "mkdir /www; echo page >/www/index.html; httpd -f -p 80 -h /www";
  await ok("run", "-d", "--name", "www", "-p", "8080:80", "busybox", "sh", "-c", serve);
  assert.match(await ok("port", "www"), /^80\/tcp -> 0\.0\.0\.0:8080/);
  const fetch = ["busybox", "wget", "-q", "-O-", "http://127.0.0.1:8080/"];
  let page = await sandbox.inside(fetch);
  for (let i = 0; i < 20 && page.status !== 0; i++) page = await sandbox.inside(fetch);
  assert.is(page.stdout, "page\n");
  assert.match(await fails("run", "--rm", "-p", "8080:80", "busybox", "true"), /port is already allocated/);
  await ok("rm", "-f", "www");
});

docker("a running container is connected to a network and let go again", async () => {
  await ok("network", "create", "extra");
  await ok("run", "-d", "--name", "moves", "busybox", "sleep", "1000");
  await ok("network", "connect", "extra", "moves");
  assert.match(await ok("exec", "moves", "ip", "-o", "link"), /eth1/);
  await ok("network", "disconnect", "extra", "moves");
  assert.not.match(await ok("exec", "moves", "ip", "-o", "link"), /eth1/);
  await ok("rm", "-f", "moves");
  await ok("network", "rm", "extra");
});

docker("images are listed, tagged, inspected and removed", async () => {
  await ok("tag", "busybox", "other:2");
  assert.match(await ok("images", "--format", "{{.Repository}}:{{.Tag}}"), /^other:2$/m);
  assert.match(
    await ok("image", "inspect", "-f", "{{.Id}} {{.Os}}", "other:2"),
    /^sha256:[0-9a-f]{64} linux$/,
  );
  assert.match(await ok("history", "-q", "other:2"), /^\S+$/);
  assert.match(await ok("rmi", "other:2"), /^Untagged: other:2$/m);
  assert.match(await fails("image", "inspect", "other:2"), /No such image: other:2/);
});

docker("commit, save, load and export keep a container's files", async () => {
  await ok("run", "--name", "made", "busybox", "sh", "-c", "echo new >/made");
  await ok("commit", "-c", "ENV A=b", "made", "made:1");
  assert.is(await ok("run", "--rm", "made:1", "sh", "-c", "cat /made; echo $A"), "new\nb");
  const archive = join(files, "image.tar");
  await ok("save", "-o", archive, "made:1");
  await ok("rmi", "made:1");
  assert.match(await ok("load", "-i", archive), /Loaded image: made:1/);
  assert.is(await ok("run", "--rm", "made:1", "cat", "/made"), "new");
  await ok("export", "-o", join(files, "root.tar"), "made");
  assert.match((await sandbox.inside(["tar", "-tf", join(files, "root.tar")])).stdout, /^made$/m);
  await ok("rm", "made");
  await ok("rmi", "made:1");
});

docker("a classic build runs its steps and tags its image", async () => {
  writeFileSync(
    join(files, "Dockerfile"),
    'FROM busybox\nARG WHO=none\nRUN echo "$WHO" >/who\nCMD ["cat", "/who"]\n',
  );
  const { status, stdout, stderr } = await sandbox.docker(
    ["build", "-t", "built:1", "--build-arg", "WHO=me", files],
    { env: { DOCKER_BUILDKIT: "0" } },
  );
  assert.is(status, 0, stderr);
  assert.match(stdout, /^Successfully tagged built:1$/m);
  assert.is(await ok("run", "--rm", "built:1"), "me");
  await ok("rmi", "built:1");
});

docker("a build by BuildKit reads the context over its session, with secrets and .dockerignore", async () => {
  const context = join(files, "context");
  mkdirSync(join(context, "deep"), { recursive: true });
  writeFileSync(join(context, "deep", "kept"), "kept\n");
  writeFileSync(join(context, "left.log"), "left out");
  writeFileSync(join(context, ".dockerignore"), "*.log\n");
  const steps = "cat /run/secrets/token deep/kept >/seen; find . -name '*.log' >>/seen; chmod 4755 deep/kept";
  writeFileSync(
    join(context, "Dockerfile"),
    `FROM busybox AS base\nWORKDIR /w\nCOPY . .\nRUN --mount=type=secret,id=token ${steps}\nFROM base\nCMD ["cat", "/seen"]\n`,
  );
  writeFileSync(join(files, "token"), "secret\n");
  const build = [
    "build",
    "--progress=plain",
    "--secret",
    `id=token,src=${join(files, "token")}`,
    "-t",
    "kit:1",
  ];
  const { status, stderr } = await sandbox.docker([...build, context]);
  assert.is(status, 0, stderr);
  assert.match(stderr, /\[base 4\/4\] RUN/);
  assert.is(await ok("run", "--rm", "kit:1"), "secret\nkept");
  assert.match((await sandbox.docker([...build, context])).stderr, /\[base 4\/4\] RUN.*\n#\d+ CACHED/);
  await ok("rmi", "kit:1");
});

docker("the files of a build go to a directory or an archive of the client", async () => {
  const context = mkdtempSync(join(files, "output-"));
  writeFileSync(join(context, "Dockerfile"), "FROM scratch\nCOPY --chmod=750 tool /bin/tool\n");
  writeFileSync(join(context, "tool"), "made");
  await ok("build", "-q", "-o", join(files, "result"), context);
  assert.is(readFileSync(join(files, "result", "bin", "tool"), "utf8"), "made");
  assert.is(statSync(join(files, "result", "bin", "tool")).mode & 0o777, 0o750);
  await ok("build", "-q", "-o", `type=tar,dest=${join(files, "result.tar")}`, context);
  assert.match((await sandbox.inside(["tar", "-tf", join(files, "result.tar")])).stdout, /^bin\/tool$/m);
});

docker("a failing step of a build is told with its status", async () => {
  const context = mkdtempSync(join(files, "fails-"));
  writeFileSync(join(context, "Dockerfile"), "FROM busybox\nRUN echo before; exit 5\n");
  const { status, stderr } = await sandbox.docker(["build", "--progress=plain", context]);
  assert.is(status, 1);
  assert.match(stderr, /before/);
  assert.match(stderr, /exit code: 5/);
});

docker("events tell of a container's life in order", async () => {
  const since = String(Date.now() / 1000);
  await ok("run", "--rm", "--name", "lives", "--label", "mine=1", "busybox", "true");
  const out = await ok(
    "events",
    "--since",
    since,
    "--until",
    String(Date.now() / 1000 + 0.2),
    "--filter",
    "container=lives",
    "--format",
    "{{.Action}}",
  );
  assert.is(out, "create\nattach\nstart\ndie\ndestroy");
});

docker("info, version and df answer", async () => {
  assert.is(await ok("version", "--format", "{{.Server.APIVersion}}"), "1.45");
  assert.match(
    await ok("info", "--format", "{{.Images}} {{.Containers}} {{.OSType}}"),
    /^[1-9]\d* \d+ linux$/,
  );
  assert.match(await ok("system", "df"), /^Images\s+[1-9]/m);
  assert.match(await ok("stats", "--no-stream"), /^CONTAINER ID/);
});

docker("prune removes what nobody uses", async () => {
  await ok("run", "--name", "over", "busybox", "true");
  await ok("network", "create", "unused");
  await ok("volume", "create", "left");
  const out = await ok("system", "prune", "-f");
  assert.match(out, /Deleted Containers:/);
  assert.match(out, /Deleted Networks:\nunused/);
  assert.match(await ok("volume", "prune", "-af"), /Deleted Volumes:\nleft/);
  assert.is(await ok("ps", "-aq"), "");
});

docker.run();
