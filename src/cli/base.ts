/** What every command shares: the flags of the project, and the way from flags to a context. */

import type { Input, OutputFlags } from "@oclif/core/interfaces";
import type { Context, Report, ReportEvent } from "../context.ts";
import { AppError } from "../errors.ts";
import type { ProjectSource } from "../model/types.ts";
import type { Paint } from "../ui/colour.ts";
import * as Flags from "./flags.ts";
import { Interrupt } from "./interrupt.ts";
import { endFlagsAtFirstWord, yieldLetters } from "./parse.ts";
import {
  type ArgDefinitions,
  type Definitions,
  type FlagDefinitions,
  readWords,
  type Words,
} from "./read.ts";

/** As oclif names what its parser returns: values by flag. */
type Parsed = OutputFlags<Record<string, never>>;

const GLOBAL = { helpGroup: "GLOBAL" } as const;

/** Accepted by every command, also before its name; letters are given where a command leaves them free. */
export const globalFlags = {
  file: Flags.string({
    ...GLOBAL,
    char: "f",
    multiple: true,
    multipleNonGreedy: true,
    helpValue: "FILE",
    summary: "Compose file; repeated, a later one overrides",
  }),
  "project-name": Flags.string({ ...GLOBAL, char: "p", helpValue: "NAME", summary: "Name of the project" }),
  "project-directory": Flags.string({ ...GLOBAL, helpValue: "DIR", summary: "Where relative paths start" }),
  "env-file": Flags.string({
    ...GLOBAL,
    multiple: true,
    multipleNonGreedy: true,
    helpValue: "FILE",
    summary: "Read variables from FILE instead of .env",
  }),
  profile: Flags.string({
    ...GLOBAL,
    multiple: true,
    multipleNonGreedy: true,
    helpValue: "NAME",
    summary: "Enable a profile",
  }),
  progress: Flags.string({
    ...GLOBAL,
    options: ["auto", "tty", "plain", "json", "quiet"],
    default: "auto",
    env: "COMPOSE_PROGRESS",
    summary: "How progress is shown, on stderr",
  }),
  ansi: Flags.string({
    ...GLOBAL,
    options: ["auto", "never", "always"],
    default: "auto",
    env: "COMPOSE_ANSI",
    summary: "Colours",
  }),
  "all-resources": Flags.boolean({
    ...GLOBAL,
    summary: "Also networks, volumes, secrets and configs that no service uses",
  }),
  compatibility: Flags.boolean({
    ...GLOBAL,
    summary: "Names with underscores, as Compose v1 made them",
  }),
  host: Flags.string({
    ...GLOBAL,
    char: "H",
    helpValue: "URL",
    summary: "Engine to talk to, such as unix:///run/docker.sock",
  }),
  parallel: Flags.integer({
    ...GLOBAL,
    min: -1,
    env: "COMPOSE_PARALLEL_LIMIT",
    helpValue: "N",
    summary: "Operations at once",
  }),
};

export interface GlobalFlags {
  readonly file?: readonly string[] | undefined;
  readonly "project-name"?: string | undefined;
  readonly "project-directory"?: string | undefined;
  readonly "env-file"?: readonly string[] | undefined;
  readonly profile?: readonly string[] | undefined;
  readonly progress: string;
  readonly ansi: string;
  readonly "all-resources"?: boolean;
  readonly compatibility?: boolean;
  readonly "dry-run"?: boolean;
  readonly host?: string | undefined;
  readonly parallel?: number | undefined;
}

export abstract class SlipwayCommand {
  /** Its words, joined by one space. */
  static id = "";
  static readonly summary: string = "";
  static readonly description: string | undefined = undefined;
  static readonly examples: readonly string[] = [];
  static readonly args: ArgDefinitions = {};
  static readonly flags: FlagDefinitions = {};
  /** False: more words than arguments may follow. */
  static readonly strict: boolean = true;
  /** True: flags end at the first word, the rest belongs to a program in a container (`exec`, `run`). */
  static readonly passThrough: boolean = false;

  readonly #argv: readonly string[];
  readonly interrupt = new Interrupt();
  #report: (Report & { close(): void }) | undefined;

  /** @param argv what follows the command's words */
  constructor(argv: readonly string[]) {
    this.#argv = argv;
  }

  /** @returns the exit status; nothing is 0 */
  // biome-ignore lint/suspicious/noConfusingVoidType: a command that ends well need not say so
  abstract run(): Promise<number | void>;

  async execute(): Promise<number> {
    try {
      return (await this.run()) ?? 0;
    } finally {
      this.#report?.close();
    }
  }

  /** @throws {AppError} USAGE */
  protected async parse<F extends Parsed, A extends Parsed>(
    options: Input<F, Parsed, A>,
  ): Promise<{ readonly flags: F & GlobalFlags; readonly args: A; readonly words: readonly string[] }> {
    const own = (options.flags ?? {}) as FlagDefinitions;
    const flags = { ...yieldLetters(globalFlags, own), ...own };
    const args = (options.args ?? {}) as ArgDefinitions;
    const { passThrough, id, strict } = this.constructor as typeof SlipwayCommand;
    const argv = passThrough ? endFlagsAtFirstWord(this.#argv, flags) : this.#argv;
    const definitions: Definitions = { flags, args, strict };
    const read = readWords(argv, definitions, process.env) ?? (await explain(argv, definitions, id));
    return read as unknown as { flags: F & GlobalFlags; args: A; words: readonly string[] };
  }

  /** Where the project is, by the global flags and the environment. */
  source(flags: GlobalFlags, services: readonly string[] = []): ProjectSource {
    return {
      files: flags.file,
      projectDirectory: flags["project-directory"],
      projectName: flags["project-name"],
      envFiles: flags["env-file"],
      profiles: flags.profile,
      services,
      allResources: flags["all-resources"],
      env: flags.compatibility ? { ...process.env, COMPOSE_COMPATIBILITY: "true" } : process.env,
      cwd: process.cwd(),
      stdin: readStdin,
      async fetch(remote, at) {
        const { fetchRemote } = await import("../remote/fetch.ts");
        const { loginFor } = await import("../verbs/credentials.ts");
        return await fetchRemote(remote, at, {
          env: process.env,
          login: (image) => loginFor(image, process.env),
          say: (text) => process.stderr.write(`${text}\n`),
        });
      },
    };
  }

  /** For commands that hand the terminal to a program: Ctrl-C is not ours to take. */
  async quietContext(flags: GlobalFlags): Promise<Context> {
    return await this.context(flags, false);
  }

  /** Connects to the engine, starting ours where it is the default and none answers. */
  async context(flags: GlobalFlags, interruptible = true): Promise<Context> {
    const [{ connect }, report] = await Promise.all([import("../client/connect.ts"), this.report(flags)]);
    const engine = await connect({
      host: flags.host,
      env: process.env,
      onStart: (log) =>
        report.on({ subject: "project", id: "engine", phase: "note", text: `starting, log in ${log}` }),
    });
    if (interruptible) this.interrupt.listen();
    const dry = flags["dry-run"] === true;
    return {
      engine: dry ? (await import("../client/dry.ts")).dryEngine(engine) : engine,
      report: dry ? { on: (event) => report.on(wouldBe(event)) } : report,
      signal: this.interrupt.first,
      insist: this.interrupt.second,
      env: process.env,
      parallel: flags.parallel !== undefined && flags.parallel > 0 ? flags.parallel : 64,
    };
  }

  /** The same without the bytes of pulls, or the steps of builds (`--quiet-pull`, `--quiet-build`). */
  quieted(context: Context, { pull, build }: { readonly pull: boolean; readonly build: boolean }): Context {
    if (!pull && !build) return context;
    const { report } = context;
    const isHidden = ({ subject, total, phase }: ReportEvent): boolean =>
      (pull && subject === "image" && total !== undefined) ||
      (build && subject === "build" && phase !== "failed" && phase !== "warn");
    return { ...context, report: { on: (event) => (isHidden(event) ? undefined : report.on(event)) } };
  }

  async report(flags: GlobalFlags): Promise<Report & { close(): void }> {
    const { makeReport } = await import("../ui/report.ts");
    const report = this.#report ?? makeReport(flags, process.stderr, process.env);
    this.#report = report;
    return report;
  }

  /** Colours for standard output. */
  async paint(flags: GlobalFlags, never = false): Promise<Paint> {
    const { colours, painter } = await import("../ui/colour.ts");
    return painter(!never && colours(process.stdout, process.env, flags.ansi));
  }

  /** One line of data. */
  print(line: string): void {
    // What is redrawn would overwrite it.
    this.#report?.close();
    process.stdout.write(`${line}\n`);
  }
}

/** What a dry run reports: that it is not so. */
const wouldBe = (event: ReportEvent): ReportEvent =>
  event.phase === "done" || event.phase === "working" ? { ...event, text: `dry run: ${event.text}` } : event;

/** Has oclif read what our reader does not take. @throws {AppError} USAGE */
async function explain(argv: readonly string[], definitions: Definitions, id: string): Promise<Words> {
  const { parseWords } = await import("./oclif.ts");
  return await parseWords(argv, definitions, id);
}

/** @throws {AppError} USAGE when standard input is a terminal: nobody would know that it waits */
async function readStdin(): Promise<string> {
  if (process.stdin.isTTY)
    throw new AppError("USAGE", "-f - reads the Compose file from standard input, which is a terminal");
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) text += chunk;
  return text;
}
