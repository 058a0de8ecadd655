/**
 * `slipway-runtime`: the engine's containers for other engines. It has the command line of runc, so that dockerd,
 * containerd and Podman can use it (`--runtime`).
 */
import { appendFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { EngineError, messageOf } from "../errors.ts";
import { program } from "../native/program.ts";
import { Runtime } from "./commands.ts";
import { execDetached } from "./exec.ts";

const VERSION = process.env["SLIPWAY_VERSION"] ?? "0.0.0-dev";

const USAGE = `usage: slipway-runtime [--root DIR] [--log FILE] [--log-format text|json] COMMAND
  create [--bundle DIR] [--pid-file FILE] [--console-socket PATH] ID
  run    [--bundle DIR] [--pid-file FILE] [--console-socket PATH] [--detach] ID
  start ID
  state ID
  kill [--all] ID [SIGNAL]
  delete [--force] ID
  exec [--process FILE] [--pid-file FILE] [--detach] ID [PROGRAM ARGUMENT...]
  pause ID
  resume ID
  ps [--format json|table] ID
`;

/** runc's global options; those that take no effect here are taken all the same. */
const GLOBAL = {
  root: { type: "string" },
  log: { type: "string" },
  "log-format": { type: "string" },
  debug: { type: "boolean" },
  "systemd-cgroup": { type: "boolean" },
  rootless: { type: "string" },
  version: { type: "boolean", short: "v" },
  help: { type: "boolean", short: "h" },
} as const;

const COMMAND = {
  bundle: { type: "string", short: "b" },
  "pid-file": { type: "string" },
  "console-socket": { type: "string" },
  "no-pivot": { type: "boolean" },
  "no-new-keyring": { type: "boolean" },
  "preserve-fds": { type: "string" },
  detach: { type: "boolean", short: "d" },
  all: { type: "boolean", short: "a" },
  force: { type: "boolean", short: "f" },
  format: { type: "string" },
  process: { type: "string", short: "p" },
} as const;

void main(process.argv.slice(2)); // says itself what went wrong

async function main(argv: readonly string[]): Promise<void> {
  const at = commandAt(argv);
  const { values } = parseArgs({ args: argv.slice(0, at), options: GLOBAL, strict: true });
  try {
    if (values.version) {
      process.stdout.write(`slipway-runtime version ${VERSION}\nspec: 1.2.0\n`);
      return;
    }
    const [command] = argv.slice(at);
    if (values.help || command === undefined) {
      process.stdout.write(USAGE);
      process.exitCode = values.help ? 0 : 1;
      return;
    }
    const runtime = new Runtime({ root: values.root ?? "/run/slipway-oci", program: program() });
    if (command === "exec") await exec(runtime, argv, at);
    else await run(runtime, command, argv.slice(at + 1));
  } catch (error) {
    report(values.log, values["log-format"], messageOf(error));
    process.exitCode = 1;
  }
}

/** Where the command stands: the first word that is neither a global option nor the value of one. */
function commandAt(argv: readonly string[]): number {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (!word.startsWith("-")) return at;
    const option = (GLOBAL as Readonly<Record<string, { readonly type: string }>>)[word.replace(/^--?/, "")];
    if (option?.type === "string") at++;
  }
  return argv.length;
}

async function run(runtime: Runtime, command: string, args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: COMMAND,
    allowPositionals: true,
    strict: true,
  });
  const [id = "", word = "SIGTERM"] = positionals;
  if (id === "") throw new EngineError("invalid", `${command} needs a container ID`);
  const options = {
    bundle: values.bundle ?? process.cwd(),
    pidFile: values["pid-file"],
    consoleSocket: values["console-socket"],
  };
  switch (command) {
    case "create":
      await runtime.create(id, options);
      return;
    case "run": {
      const { exited } = await runtime.create(id, options);
      await runtime.start(id);
      if (values.detach) return;
      process.exitCode = await exited();
      await runtime.delete(id, true);
      return;
    }
    case "start":
      await runtime.start(id);
      return;
    case "state":
      process.stdout.write(`${JSON.stringify(await runtime.state(id), null, 2)}\n`);
      return;
    case "kill":
      await runtime.kill(id, word, values.all ?? false);
      return;
    case "delete":
      await runtime.delete(id, values.force ?? false);
      return;
    case "pause":
    case "resume":
      await runtime.freeze(id, command === "pause");
      return;
    case "ps": {
      const pids = await runtime.processes(id);
      process.stdout.write(
        values.format === "json" ? `${JSON.stringify(pids)}\n` : `PID\n${pids.join("\n")}\n`,
      );
      return;
    }
    default:
      throw new EngineError("notImplemented", `slipway-runtime has no command ${JSON.stringify(command)}`);
  }
}

/** Its own options end at the container's id: what follows is the program's. */
async function exec(runtime: Runtime, argv: readonly string[], at: number): Promise<void> {
  const own = ownPart(argv.slice(at + 1));
  const { values, positionals } = parseArgs({
    args: [...own],
    options: COMMAND,
    allowPositionals: true,
    strict: true,
  });
  const [id = ""] = positionals;
  const rest = argv.slice(at + 1 + own.length);
  const pidFile = values["pid-file"];
  if (values.detach) {
    if (pidFile === undefined) throw new EngineError("invalid", "exec --detach needs --pid-file");
    await execDetached(
      argv.filter((word, index) => index <= at || index > at + own.length || !/^(-d|--detach)$/.test(word)),
      pidFile,
    );
    return;
  }
  process.exitCode = await runtime.exec(id, { processFile: values.process, args: rest, pidFile });
}

/** The words up to the first that is neither an option nor the value of one, with it. */
function ownPart(args: readonly string[]): readonly string[] {
  const options = Object.entries(COMMAND) as readonly (readonly [
    string,
    { readonly type: string; readonly short?: string },
  ])[];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    if (!word.startsWith("-")) return args.slice(0, at + 1);
    const name = word.replace(/^--?/, "");
    if (options.some(([long, { type, short }]) => type === "string" && (long === name || short === name)))
      at++;
  }
  return args;
}

/** containerd reads the reason of a failure from the log. */
function report(file: string | undefined, format: string | undefined, message: string): void {
  process.stderr.write(`slipway-runtime: ${message}\n`);
  if (file === undefined) return;
  const time = new Date().toISOString();
  const line =
    format === "json"
      ? JSON.stringify({ level: "error", msg: message, time })
      : `time="${time}" level=error msg=${JSON.stringify(message)}`;
  appendFileSync(file, `${line}\n`);
}
