/** The command line that other engines call, on bundles as they make them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { run, until } from "../../helpers/command.ts";
import { Place } from "./place.ts";

const oci = suite("engine/oci");
let place: Place;
oci.before(() => {
  place = new Place();
});
oci.after(() => place.close());

oci("create, start, state, exec, kill and delete, as an engine calls them", async () => {
  place.configure("echo $WHO $(hostname) $(ulimit -n); trap 'exit 7' TERM; while true; do sleep 0.05; done");
  const created = await place.create("one");
  assert.is(created.status, 0, place.output());
  assert.is(await place.status("one"), "created");
  assert.ok(existsSync(`/proc/${place.pid()}`));
  assert.is(place.output(), "");

  assert.is((await place.runtime("start", "one")).status, 0);
  await until("it has started", () => place.output() !== "");
  assert.is(place.output(), "bundle oci 90\n");
  const state = JSON.parse((await place.runtime("state", "one")).stdout);
  assert.equal(
    [state.id, state.status, state.bundle, state.pid],
    ["one", "running", place.bundle, place.pid()],
  );
  assert.is(readFileSync(`/proc/${state.pid}/comm`, "utf8"), "sh\n", "the container's own process");

  const executed = await place.runtime("exec", "one", "sh", "-c", "echo $$ $WHO; exit 5");
  assert.equal([executed.status, executed.stdout.endsWith(" bundle\n")], [5, true]);
  assert.is((await place.runtime("delete", "one")).status, 1, "it runs");
  assert.is((await place.runtime("create", "one")).status, 1, "the id is taken");

  assert.is((await place.runtime("kill", "one", "TERM")).status, 0);
  await until("it has stopped", async () => (await place.status("one")) === "stopped");
  assert.is((await place.runtime("delete", "one")).status, 0);
  assert.is((await place.runtime("state", "one")).status, 1);
});

oci("run has the caller's stdio and the program's status", async () => {
  const script =
    "cat; id -u; grep -c . /proc/keys; (echo x > /file) 2>&1; (echo x > /proc/sys/kernel/domainname) 2>&1; exit 9";
  place.configure(script);
  const { status, stdout } = await run(place.command("run", "two"), { cwd: place.bundle, input: "typed\n" });
  assert.is(status, 9);
  assert.match(stdout, /^typed\n0\n0\n(sh: can't create .*: Read-only file system\n){2}$/);
  assert.is((await place.runtime("state", "two")).status, 1, "nothing is left of it");
});

oci("what is not there or cannot be set up fails create", async () => {
  place.configure("", {}, { args: ["/no/such"] });
  assert.is((await place.create("three")).status, 1);
  assert.match(place.output(), 'exec: "/no/such": no such file or directory');

  place.configure("true", {
    mounts: [{ destination: "/x", type: "bind", source: "/no/such", options: ["bind"] }],
  });
  const failed = await place.runtime("create", "four");
  assert.is(failed.status, 1);
  assert.match(failed.stderr, "/no/such");
  assert.is((await place.runtime("state", "four")).status, 1);
});

oci("a bundle cannot leave its cgroup", async () => {
  place.configure("true", {
    linux: { cgroupsPath: "/../../x", namespaces: [{ type: "mount" }, { type: "pid" }] },
  });
  const { status, stderr } = await place.runtime("create", "five");
  assert.is(status, 1);
  assert.match(stderr, "cgroupsPath");
});

oci("hooks run with the state on their stdin", async () => {
  const hook = (name: string) => [
    { path: "/bin/sh", args: ["sh", "-c", `cat > ${place.directory}/${name}`] },
  ];
  place.configure("true", { hooks: { createRuntime: hook("created"), poststop: hook("stopped") } });
  assert.is(
    (await place.create("six")).status,
    0,
    existsSync(join(place.bundle, "out")) ? place.output() : "",
  );
  assert.is(JSON.parse(readFileSync(join(place.directory, "created"), "utf8")).id, "six");
  assert.is((await place.runtime("delete", "--force", "six")).status, 0);
  assert.is(JSON.parse(readFileSync(join(place.directory, "stopped"), "utf8")).status, "stopped");
});

oci.run();
