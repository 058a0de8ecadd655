/** dockerode and Testcontainers, by which other people's tests start their containers. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { libraries } from "../helpers/clients.ts";
import { Sandbox } from "../helpers/sandbox.ts";

const library = suite("contract/libraries");
let sandbox: Sandbox;
let directory: string;
library.before(async () => {
  directory = mkdtempSync(join(await libraries(), "program-"));
  sandbox = await Sandbox.open();
});
library.after(async () => {
  rmSync(directory, { recursive: true, force: true });
  await sandbox?.close();
});

/** Runs a program that finds the engine where such programs look for it; what it prints comes back. */
async function program(text: string): Promise<string> {
  const file = join(directory, "program.mjs");
  writeFileSync(file, text);
  const { status, stdout, stderr } = await sandbox.inside([process.execPath, file], {
    cwd: directory,
    env: {
      ...process.env,
      DOCKER_HOST: sandbox.host,
      SOCKET: sandbox.socket,
      TESTCONTAINERS_RYUK_DISABLED: "true",
    },
  });
  assert.is(status, 0, stderr);
  return stdout.trim();
}

library("dockerode runs, attaches to and executes in containers", async () => {
  const out = await program(`
    import { PassThrough } from "node:stream";
    import Docker from "dockerode";
    const docker = new Docker({ socketPath: process.env.SOCKET });
    const text = async (stream) => {
      const chunks = [];
      stream.on("data", (chunk) => chunks.push(chunk));
      await new Promise((resolve) => stream.on("end", resolve));
      return Buffer.concat(chunks).toString("latin1").replace(/[^\\x20-\\x7e]+/g, " ").trim();
    };
    const printed = new PassThrough();
    const [result, ran] = await docker.run("busybox", ["sh", "-c", "echo ran; exit 3"], printed);
    console.log(String(printed.read()).trim(), result.StatusCode);
    await ran.remove();
    const cat = await docker.createContainer({ Image: "busybox", Cmd: ["cat"], OpenStdin: true, StdinOnce: true });
    const attached = await cat.attach({ stream: true, stdin: true, stdout: true, hijack: true });
    await cat.start();
    attached.write("typed");
    attached.end();
    console.log("attach", await text(attached));
    await cat.remove({ force: true });
    const long = await docker.createContainer({ Image: "busybox", Cmd: ["sleep", "1000"] });
    await long.start();
    for (const hijack of [false, true]) {
      const exec = await long.exec({ Cmd: ["echo", "executed"], AttachStdout: true });
      console.log("exec", await text(await exec.start({ hijack })), (await exec.inspect()).ExitCode);
    }
    console.log("stats", (await long.stats({ stream: false })).memory_stats.usage > 0);
    await long.remove({ force: true });
  `);
  assert.is(out, "ran 3\nattach typed\nexec executed 0\nexec executed 0\nstats true");
});

library("Testcontainers waits for logs, ports and health, and copies files", async () => {
  const out = await program(`
    import { GenericContainer, Network, Wait } from "testcontainers";
    const network = await new Network().start();
    const server = await new GenericContainer("busybox")
      .withCommand(["sh", "-c", "mkdir /www; cat /tmp/page >/www/index.html; echo ready; httpd -f -p 80 -h /www"])
      .withExposedPorts(80)
      .withNetwork(network)
      .withNetworkAliases("server")
      .withCopyContentToContainer([{ content: "copied page", target: "/tmp/page" }])
      .withWaitStrategy(Wait.forAll([Wait.forLogMessage("ready"), Wait.forListeningPorts()]))
      .start();
    console.log(await (await fetch("http://127.0.0.1:" + server.getMappedPort(80))).text());
    const client = await new GenericContainer("busybox")
      .withCommand(["sleep", "1000"])
      .withNetwork(network)
      .withHealthCheck({ test: ["CMD-SHELL", "wget -q -O- http://server/"], interval: 500, timeout: 1000, retries: 5 })
      .withWaitStrategy(Wait.forHealthCheck())
      .start();
    console.log((await client.exec(["wget", "-q", "-O-", "http://server/"])).output.trim());
    await server.restart();
    console.log((await server.exec(["hostname"])).exitCode);
    await client.stop();
    await server.stop();
    await network.stop();
    process.exit(0);
  `);
  assert.is(out, "copied page\ncopied page\n0");
});

library.run();
