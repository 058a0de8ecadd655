import { AppError } from "../../errors.ts";
import type { Mount, Port, Service } from "../../model/types.ts";
import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";
import { readVariables } from "../create/body.ts";
import * as Flags from "../flags.ts";

const repeated = { multiple: true, multipleNonGreedy: true } as const;

export class Run extends SlipwayCommand {
  static override summary = "Run a service once, in a container of its own";
  static override description =
    `Starts what it depends on first. Ends with the program's exit status. The service's ports are not
published, unless -P or -p is given.`;
  static override examples = [
    "slipway run --rm web npm test",
    "slipway run --rm -e CI=1 api sh -c 'env | sort'",
    "slipway run -d --name job worker",
  ];
  static override readonly passThrough = true;
  static override strict = false;
  static override args = {
    service: Args.string({ required: true, description: "Service to run" }),
    command: Args.string({
      multiple: true,
      description: "Program and arguments, instead of the service's own",
    }),
  };
  static override flags = {
    rm: Flags.boolean({ summary: "Remove the container when it has ended" }),
    detach: Flags.boolean({ char: "d", summary: "Return at once, and print the container's name" }),
    build: Flags.boolean({ summary: "Build the image first" }),
    entrypoint: Flags.string({ helpValue: "PROGRAM", summary: "Instead of the image's entrypoint" }),
    env: Flags.string({
      char: "e",
      ...repeated,
      helpValue: "KEY=VALUE",
      summary: "Environment of the program",
    }),
    label: Flags.string({
      char: "l",
      ...repeated,
      helpValue: "KEY=VALUE",
      summary: "Label of the container",
    }),
    volume: Flags.string({
      char: "v",
      ...repeated,
      helpValue: "SOURCE:TARGET[:ro]",
      summary: "One more mount",
    }),
    publish: Flags.string({ char: "p", ...repeated, helpValue: "[IP:]PORT:PORT", summary: "Publish a port" }),
    "service-ports": Flags.boolean({ char: "P", summary: "Publish the service's own ports" }),
    "cap-add": Flags.string({ ...repeated, helpValue: "CAP", summary: "One more capability" }),
    "cap-drop": Flags.string({ ...repeated, helpValue: "CAP", summary: "One capability less" }),
    name: Flags.string({ helpValue: "NAME", summary: "Name of the container" }),
    "no-deps": Flags.boolean({ summary: "Do not start what it depends on" }),
    "use-aliases": Flags.boolean({ summary: "Let it be found under the service's name" }),
    interactive: Flags.boolean({
      char: "i",
      default: true,
      allowNo: true,
      summary: "Keep standard input open",
    }),
    tty: Flags.boolean({ char: "t", hidden: true }),
    "no-tty": Flags.boolean({
      char: "T",
      aliases: ["no-TTY"],
      summary: "No terminal, even if standard input is one",
    }),
    user: Flags.string({ char: "u", helpValue: "USER", summary: "User to run it as" }),
    workdir: Flags.string({ char: "w", helpValue: "DIR", summary: "Directory to run it in" }),
    "env-from-file": Flags.string({
      ...repeated,
      helpValue: "FILE",
      summary: "Environment of the program, a line each",
    }),
    pull: Flags.string({
      options: ["always", "missing", "never"],
      summary: "When to pull images, whatever the services say",
    }),
    quiet: Flags.boolean({ char: "q", summary: "Show no progress" }),
    "quiet-build": Flags.boolean({ summary: "Do not show the steps of builds" }),
    "quiet-pull": Flags.boolean({ summary: "Do not show how far pulls are" }),
    "remove-orphans": Flags.boolean({
      summary: "Remove containers of services that are no longer in the file",
    }),
  };

  override async run(): Promise<number> {
    const { flags, words } = await this.parse(Run);
    const [service, ...command] = words;
    if (service === undefined) throw new AppError("USAGE", "run needs a service");
    const source = this.source(flags, [service]);
    const { load } = await import("../../model/load.ts");
    const own = (await load(source)).services[service];
    const connected = await this.quietContext(flags.quiet ? { ...flags, progress: "quiet" } : flags);
    const context = this.quieted(connected, { pull: flags["quiet-pull"], build: flags["quiet-build"] });
    const report = await this.report(flags); // the one that the context has
    const { forwardSignals, joinStreams, terminalSize } = await import("../terminal.ts");
    const { runOnce } = await import("../../verbs/run.ts");
    const tty =
      !flags["no-tty"] && !flags.detach && process.stdin.isTTY === true && process.stdout.isTTY === true;
    const stdin = flags.interactive && !flags.detach;
    const pairs = (texts: readonly string[] = []): Record<string, string> =>
      Object.fromEntries(
        texts.map((text) => [
          text.split("=")[0]!,
          text.includes("=") ? text.slice(text.indexOf("=") + 1) : (process.env[text] ?? ""),
        ]),
      );
    const change: Partial<Service> = {
      ...((flags.env || flags["env-from-file"]) && {
        environment: {
          ...own?.environment,
          ...pairs((flags["env-from-file"] ?? []).flatMap(readVariables)),
          ...pairs(flags.env),
        },
      }),
      ...(flags.label && { labels: { ...own?.labels, ...pairs(flags.label) } }),
      ...(flags.volume && { volumes: [...(own?.volumes ?? []), ...flags.volume.map(readVolume)] }),
      ...(flags.publish && { ports: flags.publish.map(readPort) }),
      ...(flags["cap-add"] && { cap_add: [...(own?.cap_add ?? []), ...flags["cap-add"]] }),
      ...(flags["cap-drop"] && { cap_drop: [...(own?.cap_drop ?? []), ...flags["cap-drop"]] }),
      ...(flags.entrypoint !== undefined && { entrypoint: flags.entrypoint.split(" "), command }),
      ...(flags.user !== undefined && { user: flags.user }),
      ...(flags.workdir !== undefined && { working_dir: flags.workdir }),
    };
    const { status, name } = await runOnce(
      source,
      {
        service,
        command,
        change,
        dependencies: !flags["no-deps"],
        servicePorts: flags["service-ports"],
        useAliases: flags["use-aliases"],
        name: flags.name,
        tty,
        stdin,
        detach: flags.detach,
        remove: flags.rm,
        build: flags.build,
        pull: flags.pull as "always" | "missing" | "never" | undefined,
        removeOrphans: flags["remove-orphans"],
        size: terminalSize(),
        forward: forwardSignals,
      },
      () => report.close(),
      (attachment, onResize) => joinStreams(attachment, { stdin, tty, onResize }),
      context,
    );
    if (flags.detach) this.print(name);
    return status;
  }
}

function readVolume(text: string): Mount {
  const [source = "", target, mode] = text.split(":") as [string?, string?, string?];
  if (target === undefined) return { type: "volume", target: source };
  const { resolve } = process.getBuiltinModule("node:path");
  const bind = /^[./~]/.test(source);
  return {
    type: bind ? "bind" : "volume",
    source: bind ? resolve(source) : source,
    target,
    ...(mode?.includes("ro") && { read_only: true }),
  };
}

/** @throws {AppError} USAGE */
function readPort(text: string): Port {
  const [, host_ip, published, target, protocol] =
    /^(?:(?:(.+):)?(\d*):)?(\d+)(?:\/(tcp|udp))?$/.exec(text) ?? [];
  if (target === undefined) throw new AppError("USAGE", `--publish ${text}: write [IP:][PORT:]PORT[/udp]`);
  return {
    target: Number(target),
    protocol: protocol ?? "tcp",
    ...(published && { published }),
    ...(host_ip && { host_ip }),
  };
}
