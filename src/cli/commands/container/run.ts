import { resolve } from "node:path";
import { AppError } from "../../../errors.ts";
import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { labelFlag, readPairs } from "../../objects.ts";
import { readEnvironment } from "../../options.ts";

const repeated = { multiple: true, multipleNonGreedy: true } as const;

export class ContainerRun extends SlipwayCommand {
  static override summary = "Run a program in a new container of an image";
  static override examples = [
    "slipway container run --rm busybox echo hello",
    "slipway container run -it --rm -v ./src:/src debian:bookworm-slim bash",
    "slipway container run -d --name web -p 8080:80 shop-web",
  ];
  static override readonly passThrough = true;
  static override strict = false;
  static override args = {
    image: Args.string({ required: true, description: "Image" }),
    command: Args.string({
      multiple: true,
      description: "Program and arguments, instead of the image's",
    }),
  };
  static override flags = {
    interactive: Flags.boolean({ char: "i", summary: "Keep standard input open" }),
    tty: Flags.boolean({ char: "t", summary: "Give it a terminal" }),
    detach: Flags.boolean({ char: "d", summary: "Return at once, and print its id" }),
    rm: Flags.boolean({ summary: "Remove it when it has ended" }),
    name: Flags.string({ helpValue: "NAME", summary: "Its name" }),
    env: Flags.string({
      char: "e",
      ...repeated,
      helpValue: "KEY=VALUE",
      summary: "Environment of the program",
    }),
    volume: Flags.string({
      char: "v",
      ...repeated,
      helpValue: "SOURCE:TARGET[:ro]",
      summary: "Mount a directory or volume",
    }),
    publish: Flags.string({ char: "p", ...repeated, helpValue: "[IP:]PORT:PORT", summary: "Publish a port" }),
    network: Flags.string({ helpValue: "NAME", summary: "Network to connect it to" }),
    user: Flags.string({ char: "u", helpValue: "USER", summary: "User to run it as" }),
    workdir: Flags.string({ char: "w", helpValue: "DIR", summary: "Directory to run it in" }),
    entrypoint: Flags.string({ helpValue: "PROGRAM", summary: "Instead of the image's entrypoint" }),
    hostname: Flags.string({ char: "h", helpValue: "NAME", summary: "Its host name" }),
    label: labelFlag,
    restart: Flags.string({ helpValue: "POLICY", summary: "no, always, unless-stopped or on-failure[:N]" }),
    privileged: Flags.boolean({ summary: "With all capabilities and devices" }),
    "cap-add": Flags.string({ ...repeated, helpValue: "CAP", summary: "One more capability" }),
    "cap-drop": Flags.string({ ...repeated, helpValue: "CAP", summary: "One capability less" }),
    "read-only": Flags.boolean({ summary: "With a file system that cannot be written" }),
    init: Flags.boolean({ summary: "With an init that reaps and passes signals on" }),
  };

  override async run(): Promise<number> {
    const { flags, words } = await this.parse(ContainerRun);
    const [image, ...command] = words;
    if (image === undefined) throw new AppError("USAGE", "run needs an image");
    const context = await this.quietContext(flags);
    const report = await this.report(flags);
    const { forwardSignals, joinStreams, terminalSize } = await import("../../terminal.ts");
    const { runContainer } = await import("../../../verbs/objects/run.ts");
    const { tty, interactive, detach } = flags;
    const stdin = interactive && !detach;
    const ports = (flags.publish ?? []).map(readPort);
    const [policy, count] = (flags.restart ?? "").split(":");
    const body = {
      Image: image,
      ...(command.length > 0 && { Cmd: command }),
      ...(flags.entrypoint !== undefined && { Entrypoint: [flags.entrypoint] }),
      Env: readEnvironment(flags.env),
      Labels: readPairs(flags.label),
      Tty: tty,
      OpenStdin: interactive,
      StdinOnce: stdin,
      AttachStdin: stdin,
      AttachStdout: !detach,
      AttachStderr: !detach,
      ...(flags.user && { User: flags.user }),
      ...(flags.workdir && { WorkingDir: flags.workdir }),
      ...(flags.hostname && { Hostname: flags.hostname }),
      ExposedPorts: Object.fromEntries(ports.map(({ key }) => [key, {}])),
      HostConfig: {
        AutoRemove: flags.rm,
        Binds: (flags.volume ?? []).map(readVolume),
        PortBindings: Object.fromEntries(ports.map(({ key, binding }) => [key, [binding]])),
        Privileged: flags.privileged,
        ReadonlyRootfs: flags["read-only"],
        Init: flags.init,
        CapAdd: flags["cap-add"],
        CapDrop: flags["cap-drop"],
        ...(flags.network && { NetworkMode: flags.network }),
        ...(policy && { RestartPolicy: { Name: policy, MaximumRetryCount: Number(count ?? 0) } }),
      },
    };
    const { id, status } = await runContainer(
      {
        body,
        name: flags.name,
        tty,
        stdin,
        detach,
        size: tty ? terminalSize() : undefined,
        forward: forwardSignals,
      },
      () => report.close(),
      (attachment, onResize) => joinStreams(attachment, { stdin, tty, onResize }),
      context,
    );
    if (detach) this.print(id);
    return status;
  }
}

/** A path here is made absolute, a name is a volume's. */
function readVolume(text: string): string {
  const [source = "", ...rest] = text.split(":");
  return [/^[./~]/.test(source) && rest.length > 0 ? resolve(source) : source, ...rest].join(":");
}

/** @throws {AppError} USAGE */
function readPort(text: string): {
  readonly key: string;
  readonly binding: { HostIp: string; HostPort: string };
} {
  const [, ip, host, target, protocol] = /^(?:(?:(.+):)?(\d*):)?(\d+)(?:\/(tcp|udp))?$/.exec(text) ?? [];
  if (target === undefined) throw new AppError("USAGE", `--publish ${text}: write [IP:][PORT:]PORT[/udp]`);
  return { key: `${target}/${protocol ?? "tcp"}`, binding: { HostIp: ip ?? "", HostPort: host ?? "" } };
}
