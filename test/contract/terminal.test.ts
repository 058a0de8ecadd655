/** Containers on a terminal, by the stock docker command line: typing, leaving, and Ctrl-C. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { stockClients } from "../helpers/clients.ts";
import { must, run } from "../helpers/command.ts";
import { Sandbox } from "../helpers/sandbox.ts";

const terminal = suite("contract/terminal");
let sandbox: Sandbox;
terminal.before(async () => {
  sandbox = await Sandbox.open();
});
terminal.after(() => sandbox?.close());

const CTRL_C = "\\003";
const DETACH = "\\020\\021"; // Ctrl-P Ctrl-Q

/** Runs docker on a terminal of 20 by 70 and types each text half a second after the one before. */
async function type(command: string, ...texts: readonly string[]): Promise<string> {
  const { docker, config } = await stockClients();
  const keys = texts.map((text) => `sleep 0.5; printf '${text}'`).join("; ");
  const line = `(${keys}; sleep 0.5) | script -qec "stty rows 20 cols 70; ${docker} ${command}" /dev/null`;
  const env = { ...process.env, DOCKER_HOST: sandbox.host, DOCKER_CONFIG: config, TERM: "xterm" };
  return (await run(["bash", "-c", line], { env })).stdout;
}

async function docker(...args: string[]): Promise<string> {
  const { docker: program, config } = await stockClients();
  const env = { ...process.env, DOCKER_HOST: sandbox.host, DOCKER_CONFIG: config };
  return (await must([program, ...args], { env })).trim();
}

terminal("what is typed is run, and after the detach keys the container goes on", async () => {
  const seen = await type("run -it --name shell busybox sh", "echo typed; stty size\\n", DETACH);
  assert.match(seen, /\r\ntyped\r\n20 70\r\n/);
  assert.is(await docker("inspect", "-f", "{{.State.Running}}", "shell"), "true");
  assert.match(await type("attach shell", "echo again\\n", "exit 7\\n"), /\r\nagain\r\n/);
  assert.is(await docker("inspect", "-f", "{{.State.ExitCode}}", "shell"), "7");
  await docker("rm", "shell");
});

terminal("exec -it has a terminal of its own", async () => {
  await docker("run", "-d", "--name", "host", "busybox", "sleep", "1000");
  assert.match(
    await type("exec -it host sh", "tty; stty size; exit 4\\n"),
    /\r\n\/dev\/pts\/\d\r\n20 70\r\n/,
  );
  await docker("rm", "-f", "host");
});

terminal("Ctrl-C at an attached container without a terminal is passed on as a signal", async () => {
  const script = "trap 'echo got; exit 9' INT; while :; do sleep 0.1; done";
  await docker("run", "-d", "--name", "traps", "busybox", "sh", "-c", script);
  await type("attach traps", CTRL_C);
  assert.is(await docker("logs", "traps"), "got");
  assert.is(await docker("inspect", "-f", "{{.State.ExitCode}}", "traps"), "9");
  await docker("rm", "traps");
});

terminal("Ctrl-C at compose up stops the project in order", async () => {
  const file = `${sandbox.directory}/compose.yaml`;
  const lines = (name: string): string =>
    `trap 'exit 0' TERM; echo ${name} runs; while :; do sleep 0.1; done`;
  const service = (name: string, more: object) => ({
    image: "busybox",
    init: false,
    command: ["sh", "-c", lines(name)],
    ...more,
  });
  const services = { db: service("db", {}), web: service("web", { depends_on: ["db"] }) };
  await must(["sh", "-c", `cat >${file}`], { input: JSON.stringify({ name: "attached", services }) });
  const seen = await type(`compose -f ${file} up`, "", "", CTRL_C, "", "", "");
  assert.match(seen, /web-1\s+\|.*web runs/);
  const ended = (name: string) => docker("inspect", "-f", "{{.State.FinishedAt}}", `attached-${name}-1`);
  assert.ok((await ended("web")) < (await ended("db")), "what depends on another stops first");
  assert.is(await docker("compose", "-f", file, "ps", "-q"), "");
  await docker("compose", "-f", file, "down", "-t", "0");
});

terminal.run();
