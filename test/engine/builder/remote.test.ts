import { suite } from "uvu";
import * as assert from "uvu/assert";
import { until } from "../../helpers/command.ts";
import { startRunning } from "../../helpers/running.ts";
import { Sandbox } from "../../helpers/sandbox.ts";
import { Kitchen } from "./kitchen.ts";

const remote = suite("engine/builder/remote");

const TEXT = "FROM busybox\nCOPY . /t\nRUN ls /t > /seen\n";
/** Serves a Dockerfile, and an archive with one, to the sandbox's namespace. */
const SERVER = `
const { execFileSync } = require("node:child_process");
const files = {
  "/Dockerfile": Buffer.from(process.argv[1]),
  "/c.tgz": execFileSync("tar", ["czC", process.argv[2], "."]),
};
require("node:http").createServer((request, response) => {
  const file = files[request.url];
  response.writeHead(file ? 200 : 404).end(file);
}).listen(8000, "127.0.0.1", () => console.log("listening"));`;

remote("a context by its address is an archive, or a Dockerfile alone", async () => {
  await using sandbox = await Sandbox.open();
  using kitchen = new Kitchen(sandbox);
  const directory = kitchen.context({ Dockerfile: TEXT, f: "f" });
  const node = [process.execPath, "-e", SERVER, TEXT, directory];
  const server = startRunning(["nsenter", `--net=/run/netns/${sandbox.netns}`, "--", ...node]);
  try {
    await until("it listens", () => server.output().includes("listening"));
    for (const [path, seen] of [
      ["c.tgz", "Dockerfile\nf"],
      ["Dockerfile", "context"],
    ]) {
      const address = `http://127.0.0.1:8000/${path}`;
      const { error } = await kitchen.build("", { directory: undefined, remote: address, tags: ["remote"] });
      assert.is(error?.message, undefined);
      assert.is(await kitchen.run("remote", "cat /seen"), seen);
    }
    const { error } = await kitchen.build("", { directory: undefined, remote: "http://127.0.0.1:8000/none" });
    assert.match(error?.message ?? "built", "404");
  } finally {
    await server.stop();
  }
});

remote.run();
