/** The command line of runc: what each command takes. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { EngineError } from "../errors.ts";

type Flags = NonNullable<ParseArgsConfig["options"]>;
type Flag = Flags[string];

const text = { type: "string" } as const satisfies Flag;
const yes = { type: "boolean" } as const satisfies Flag;
const texts = { type: "string", multiple: true } as const satisfies Flag;
const all = { type: "boolean", short: "a" } as const satisfies Flag;
const bundle = { type: "string", short: "b" } as const satisfies Flag;
const format = { type: "string", short: "f" } as const satisfies Flag;
const detach = { type: "boolean", short: "d" } as const satisfies Flag;

/** Before the command; what takes no effect here is taken all the same. */
export const GLOBAL = {
  root: text,
  log: text,
  "log-format": text,
  debug: yes,
  "systemd-cgroup": yes,
  rootless: text,
  version: { type: "boolean", short: "v" },
  help: { type: "boolean", short: "h" },
} as const satisfies Flags;

const CREATE = {
  bundle,
  "pid-file": text,
  "console-socket": text,
  "no-pivot": yes,
  "no-new-keyring": yes,
  "preserve-fds": text,
} as const satisfies Flags;

export const COMMANDS = {
  create: CREATE,
  run: { ...CREATE, detach, keep: yes, "no-subreaper": yes },
  start: {},
  state: {},
  list: { format, quiet: { type: "boolean", short: "q" } },
  kill: { all },
  delete: { force: { type: "boolean", short: "f" } },
  exec: {
    "console-socket": text,
    cwd: text,
    env: { ...texts, short: "e" },
    tty: { type: "boolean", short: "t" },
    user: { type: "string", short: "u" },
    "additional-gids": { ...texts, short: "g" },
    process: { type: "string", short: "p" },
    detach,
    "pid-file": text,
    "no-new-privs": yes,
    cap: { ...texts, short: "c" },
    "preserve-fds": text,
  },
  pause: {},
  resume: {},
  ps: { format },
  events: { stats: yes, interval: text },
  update: {
    resources: { type: "string", short: "r" },
    "blkio-weight": text,
    "cpu-period": text,
    "cpu-quota": text,
    "cpu-share": text,
    "cpu-rt-period": text,
    "cpu-rt-runtime": text,
    "cpuset-cpus": text,
    "cpuset-mems": text,
    memory: text,
    "memory-reservation": text,
    "memory-swap": text,
    "pids-limit": text,
  },
  features: {},
  spec: { bundle, rootless: yes },
} as const satisfies Readonly<Record<string, Flags>>;

export type Command = keyof typeof COMMANDS;

export const USAGE = `usage: slipway-runtime [--root DIR] [--log FILE] [--log-format text|json] COMMAND
  create   [--bundle DIR] [--pid-file FILE] [--console-socket PATH] [--preserve-fds N] [--no-new-keyring] ID
  run      [--detach] [options of create] ID
  start    ID
  state    ID
  list     [--format table|json] [--quiet]
  kill     [--all] ID [SIGNAL]
  delete   [--force] ID
  exec     [--process FILE] [--detach] [--pid-file FILE] [--console-socket PATH] [--tty] [--cwd DIR]
           [--user UID[:GID]] [--env NAME=VALUE] [--cap NAME] ID [PROGRAM ARGUMENT...]
  pause    ID
  resume   ID
  ps       [--format table|json] ID
  update   [--resources FILE|-] [--memory BYTES] [--cpu-quota MICROSECONDS] [--pids-limit N] ... ID
  events   [--stats] [--interval SECONDS] ID
  features
  spec     [--bundle DIR]
`;

/** Where the command stands: the first word that is neither a global option nor the value of one; else the end. */
export function commandAt(argv: readonly string[]): number {
  return firstWord(argv, GLOBAL);
}

/**
 * Reads what follows a command.
 *
 * @returns its options, and the words that are none; of `exec` all after the id are the program's
 * @throws {EngineError} invalid for an option that the command does not have
 */
export function readCommand<C extends Command>(command: C, args: readonly string[]) {
  const options: (typeof COMMANDS)[C] = COMMANDS[command];
  const own = command === "exec" ? ownPart(args, options) : args;
  try {
    const { values, positionals } = parseArgs({
      args: [...own],
      options: options as (typeof COMMANDS)[C],
      allowPositionals: true,
      strict: true,
    });
    return { values, words: [...positionals, ...args.slice(own.length)] };
  } catch (cause) {
    throw new EngineError("invalid", `${command}: ${(cause as Error).message}`, { cause });
  }
}

/** The words up to the first that is neither an option nor the value of one, with it. */
function ownPart(args: readonly string[], options: Flags): readonly string[] {
  return args.slice(0, firstWord(args, options) + 1);
}

/** Where the first word stands that is neither an option nor the value of one; else the end. */
function firstWord(args: readonly string[], options: Flags): number {
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    if (!word.startsWith("-")) return at;
    const name = word.replace(/^--?/, "");
    if (
      Object.entries(options).some(
        ([long, { type, short }]) => type === "string" && (long === name || short === name),
      )
    )
      at++;
  }
  return args.length;
}
