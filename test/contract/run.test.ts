/** The stock docker command line runs containers with our engine as it does with Docker's. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { stockClients } from "../helpers/clients.ts";
import { run as runCommand } from "../helpers/command.ts";
import { Sandbox } from "../helpers/sandbox.ts";

const docker = suite("contract/run");
let sandbox: Sandbox;
docker.before(async () => {
  sandbox = await Sandbox.open();
});
docker.after(() => sandbox?.close());

/** Runs docker, and gives back what it printed and its exit status. */
async function call(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const { status, stdout, stderr } = await sandbox.docker(args);
  return { status, out: stdout.trim(), err: stderr.trim() };
}

async function ok(...args: string[]): Promise<string> {
  const { status, out, err } = await call(...args);
  assert.is(status, 0, `docker ${args.join(" ")}: exit ${status}: ${err}`);
  return out;
}

docker("run --rm prints what the program prints, and leaves nothing", async () => {
  assert.is(await ok("run", "--rm", "busybox", "echo", "hello"), "hello");
  assert.is(await ok("ps", "-aq"), "");
});

docker("stdout and stderr stay apart", async () => {
  const { out, err } = await call("run", "--rm", "busybox", "sh", "-c", "echo one; echo two >&2");
  assert.equal([out, err], ["one", "two"]);
});

for (const [what, args, status] of [
  ["the program's own", ["sh", "-c", "exit 3"], 3],
  ["128 and the signal's number", ["sh", "-c", "sleep 9 & kill -9 $!; wait $!"], 137],
  ["127 for a program that is not there", ["/nowhere"], 127],
  ["126 for a file that is no program", ["/etc/passwd"], 126],
] as const) {
  docker(`the exit status of run is ${what}`, async () => {
    assert.is((await call("run", "--rm", "busybox", ...args)).status, status);
  });
}

docker("an image that is nowhere ends with 125", async () => {
  assert.is((await call("run", "--rm", "--pull=never", "nothing:here", "true")).status, 125);
});

docker("run -i gives its input to the program, and the end of it", async () => {
  const { stdout } = await sandbox.docker(["run", "--rm", "-i", "busybox", "cat"], { input: "from outside" });
  assert.is(stdout, "from outside");
});

docker("run -it has a terminal of the caller's size", async () => {
  const { docker: program, config } = await stockClients();
  const line = `stty rows 33 cols 44; ${program} run --rm -it busybox sh -c 'tty; stty size; echo $TERM'`;
  const { stdout } = await runCommand(["script", "-qec", line, "/dev/null"], {
    env: { ...process.env, DOCKER_HOST: sandbox.host, DOCKER_CONFIG: config, TERM: "xterm" },
  });
  assert.match(stdout, /\/dev\/pts\/0|\/dev\/console/);
  assert.match(stdout, /33 44/);
  assert.match(stdout, /xterm/);
});

docker("a detached container is listed, inspected, logged, stopped and removed", async () => {
  const id = await ok(
    "run",
    "-d",
    "--name",
    "web",
    "--label",
    "tier=web",
    "busybox",
    "sh",
    "-c",
    "echo up; sleep 1000",
  );
  assert.match(id, /^[0-9a-f]{64}$/);
  assert.match(
    await ok("ps", "--format", "{{.Names}} {{.Image}} {{.State}} {{.Status}}"),
    /^web busybox running Up /,
  );
  assert.is(await ok("ps", "-q", "--filter", "label=tier=web"), id.slice(0, 12));
  assert.is(await ok("inspect", "-f", "{{.State.Status}} {{.Config.Labels.tier}}", "web"), "running web");
  assert.is(await ok("logs", "web"), "up");
  assert.is(await ok("stop", "-t", "1", "web"), "web");
  assert.match(await ok("ps", "-a", "--format", "{{.Status}}"), /^Exited \((137|143)\)/);
  assert.is(await ok("rm", "web"), "web");
  assert.match((await call("inspect", "web")).err, /No such object: web/);
});

docker("exec runs a second program, with its own status, user and environment", async () => {
  await ok("run", "-d", "--name", "host", "busybox", "sleep", "1000");
  assert.is(await ok("exec", "host", "echo", "second"), "second");
  assert.is((await call("exec", "host", "sh", "-c", "exit 7")).status, 7);
  assert.is(await ok("exec", "-e", "A=b", "-w", "/tmp", "host", "sh", "-c", "echo $A; pwd"), "b\n/tmp");
  assert.is(await ok("exec", "-u", "nobody", "host", "id", "-un"), "nobody");
  assert.is((await sandbox.docker(["exec", "-i", "host", "cat"], { input: "typed" })).stdout, "typed");
  assert.ok([126, 127].includes((await call("exec", "host", "/nowhere")).status));
  await ok("rm", "-f", "host");
});

docker("logs -f gives what was and what comes, and ends with the container", async () => {
  await ok(
    "run",
    "-d",
    "--name",
    "talks",
    "busybox",
    "sh",
    "-c",
    "for i in 1 2 3 4; do echo $i; sleep 0.2; done",
  );
  assert.is(await ok("logs", "-f", "talks"), "1\n2\n3\n4");
  assert.is(await ok("logs", "--tail", "2", "talks"), "3\n4");
  assert.match(await ok("logs", "-t", "--tail", "1", "talks"), /^\d{4}-\d\d-\d\dT[\d:.]+Z 4$/);
  await ok("rm", "talks");
});

docker("start -a shows the output again, wait gives the status", async () => {
  await ok("create", "--name", "again", "busybox", "sh", "-c", "echo again; exit 4");
  const { status, out } = await call("start", "-a", "again");
  assert.equal([status, out], [4, "again"]);
  assert.is(await ok("wait", "again"), "4");
  await ok("rm", "again");
});

docker("kill sends the signal that is asked for", async () => {
  const script = "trap 'echo hup; exit 5' HUP; while :; do sleep 0.1; done";
  await ok("run", "-d", "--name", "hears", "busybox", "sh", "-c", script);
  await ok("exec", "hears", "true");
  await ok("kill", "-s", "HUP", "hears");
  assert.is(await ok("wait", "hears"), "5");
  assert.is(await ok("logs", "hears"), "hup");
  await ok("rm", "hears");
});

docker("rename, restart, pause and top", async () => {
  const id = await ok("run", "-d", "--name", "old", "busybox", "sleep", "1000");
  await ok("rename", "old", "new");
  const started = await ok("inspect", "-f", "{{.State.StartedAt}}", "new");
  await ok("restart", "-t", "0", "new");
  assert.is.not(await ok("inspect", "-f", "{{.State.StartedAt}}", "new"), started);
  await ok("pause", "new");
  assert.is(await ok("inspect", "-f", "{{.State.Status}}", id), "paused");
  await ok("unpause", "new");
  assert.match(await ok("top", "new"), /sleep 1000/);
  await ok("rm", "-f", "new");
});

docker("a name can be had once", async () => {
  await ok("create", "--name", "mine", "busybox", "true");
  const { status, err } = await call("create", "--name", "mine", "busybox", "true");
  assert.is(status, 1);
  assert.match(err, /Conflict\. The container name "\/mine" is already in use by container "[0-9a-f]{64}"/);
  await ok("rm", "mine");
});

docker("the restrictions of run hold inside", async () => {
  const script = "id -u; hostname; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; ulimit -n; touch /x";
  const { out, err } = await call(
    ...["run", "--rm", "--read-only", "-u", "1234", "-h", "named", "--ulimit", "nofile=77:77"],
    ...["--sysctl", "net.ipv4.ip_unprivileged_port_start=80", "busybox", "sh", "-c", script],
  );
  assert.is(out, "1234\nnamed\n80\n77");
  assert.match(err, /Read-only file system/);
});

docker("a limit of memory is the cgroup's", async () => {
  const files = "/sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max";
  assert.is(
    await ok("run", "--rm", "-m", "64m", "busybox", "sh", "-c", `cat ${files} 2>/dev/null; true`),
    String(64 << 20),
  );
});

docker("--init reaps, and PID 1 is ours", async () => {
  assert.is.not(await ok("run", "--rm", "--init", "busybox", "sh", "-c", "echo $$"), "1");
});

docker("--rm with -d goes away by itself", async () => {
  const before = await ok("ps", "-aq");
  await ok("run", "-d", "--rm", "--name", "brief", "busybox", "true");
  for (let i = 0; i < 100 && (await ok("ps", "-aq")) !== before; i++)
    await new Promise((done) => setTimeout(done, 50));
  assert.is(await ok("ps", "-aq"), before);
});

docker.run();
