/**
 * `slipway-runtime`: the engine's containers for other engines. It has the command line of runc, so that dockerd,
 * containerd and Podman can use it (`--runtime`).
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { EngineError, messageOf } from "../errors.ts";
import { program } from "../native/program.ts";
import { type CreateOptions, Runtime } from "./commands.ts";
import { printEvents } from "./events.ts";
import { features } from "./features.ts";
import { COMMANDS, type Command, commandAt, GLOBAL, readCommand, USAGE } from "./flags.ts";
import { systemdRefused } from "./group.ts";
import { report } from "./log.ts";
import { printList, printProcesses } from "./print.ts";
import { templateConfig } from "./template.ts";
import { requestedResources } from "./update.ts";

const VERSION = process.env["SLIPWAY_VERSION"] ?? "0.0.0-dev";

async function main(argv: readonly string[]): Promise<void> {
  const at = commandAt(argv);
  let log: string | undefined;
  let format: string | undefined;
  try {
    const { values } = parseArgs({ args: argv.slice(0, at), options: GLOBAL, strict: true });
    log = values.log;
    format = values["log-format"];
    if (values.version) {
      process.stdout.write(`slipway-runtime version ${VERSION}\nspec: 1.2.0\n`);
      return;
    }
    const [command] = argv.slice(at);
    if (values.help || command === undefined || command === "help") {
      process.stdout.write(USAGE);
      process.exitCode = values.help || command ? 0 : 1;
      return;
    }
    if (values["systemd-cgroup"] && command !== "features") throw systemdRefused();
    if (!(command in COMMANDS)) {
      const what = `slipway-runtime has no command ${JSON.stringify(command)}`;
      throw new EngineError("notImplemented", what);
    }
    const runtime = new Runtime({ root: values.root ?? "/run/slipway-oci", program: program() });
    await RUN[command as Command](runtime, argv.slice(at + 1));
  } catch (error) {
    report(log, format, messageOf(error));
    process.exitCode = 1;
  }
}

const RUN: { readonly [C in Command]: (runtime: Runtime, args: readonly string[]) => Promise<void> } = {
  async create(runtime, args) {
    const { values, words } = readCommand("create", args);
    await runtime.create(idOf(words), createOptions(values));
  },
  async run(runtime, args) {
    const { values, words } = readCommand("run", args);
    const id = idOf(words);
    if (!values.detach) {
      process.exitCode = await runtime.run(id, createOptions(values));
      return;
    }
    await runtime.create(id, createOptions(values));
    await runtime.start(id);
  },
  async start(runtime, args) {
    await runtime.start(idOf(readCommand("start", args).words));
  },
  async state(runtime, args) {
    const state = await runtime.state(idOf(readCommand("state", args).words));
    process.stdout.write(`${JSON.stringify(state, null, 2)}\n`);
  },
  async list(runtime, args) {
    const { values } = readCommand("list", args);
    printList(await runtime.list(), values.format, values.quiet ?? false);
  },
  async kill(runtime, args) {
    const { values, words } = readCommand("kill", args);
    await runtime.kill(idOf(words), words[1] ?? "SIGTERM", values.all ?? false);
  },
  async delete(runtime, args) {
    const { values, words } = readCommand("delete", args);
    await runtime.delete(idOf(words), values.force ?? false);
  },
  async exec(runtime, args) {
    const { values, words } = readCommand("exec", args);
    const options = {
      processFile: values.process,
      args: words.slice(1),
      terminal: values.tty ?? false,
      cwd: values.cwd,
      user: values.user,
      additionalGids: (values["additional-gids"] ?? []).map(Number),
      env: values.env ?? [],
      capabilities: values.cap ?? [],
      noNewPrivileges: values["no-new-privs"] ?? false,
      pidFile: values["pid-file"],
      consoleSocket: values["console-socket"],
      preserved: count(values["preserve-fds"]),
    };
    process.exitCode = await runtime.exec(idOf(words), options, values.detach ?? false);
  },
  async pause(runtime, args) {
    await runtime.freeze(idOf(readCommand("pause", args).words), true);
  },
  async resume(runtime, args) {
    await runtime.freeze(idOf(readCommand("resume", args).words), false);
  },
  async ps(runtime, args) {
    const { values, words } = readCommand("ps", args);
    printProcesses(await runtime.processes(idOf(words)), values.format);
  },
  async events(runtime, args) {
    const { values, words } = readCommand("events", args);
    const seconds = Number.parseFloat(values.interval ?? "5");
    if (!(seconds > 0)) throw new EngineError("invalid", "duration interval must be greater than 0");
    await printEvents(runtime, idOf(words), { once: values.stats ?? false, interval: seconds * 1000 });
  },
  async update(runtime, args) {
    const { values, words } = readCommand("update", args);
    await runtime.update(idOf(words), await requestedResources(values));
  },
  async features() {
    process.stdout.write(`${JSON.stringify(features(), null, 2)}\n`);
  },
  async spec(_runtime, args) {
    const { values } = readCommand("spec", args);
    if (values.rootless) throw new EngineError("notImplemented", "spec --rootless is not supported");
    const path = join(values.bundle ?? "", "config.json");
    await writeFile(path, `${JSON.stringify(templateConfig(), null, 2)}\n`, { flag: "wx", mode: 0o644 });
  },
};

function idOf([id]: readonly string[]): string {
  if (id === undefined || id === "") throw new EngineError("invalid", "a container ID is needed");
  return id;
}

function createOptions(values: ReturnType<typeof readCommand<"create">>["values"]): CreateOptions {
  if (values["no-pivot"]) {
    const why = "--no-pivot is not supported: the root directory is always changed by pivot_root(2)";
    throw new EngineError("notImplemented", why);
  }
  return {
    bundle: values.bundle ?? process.cwd(),
    pidFile: values["pid-file"],
    consoleSocket: values["console-socket"],
    preserved: count(values["preserve-fds"]),
    noNewKeyring: values["no-new-keyring"] ?? false,
  };
}

/** @throws {EngineError} invalid */
function count(text = "0"): number {
  if (!/^\d{1,4}$/.test(text)) throw new EngineError("invalid", `--preserve-fds ${text} is no count`);
  return Number(text);
}

void main(process.argv.slice(2)); // says itself what went wrong
