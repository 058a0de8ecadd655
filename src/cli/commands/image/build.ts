import { resolve } from "node:path";
import type { BuildPathOptions, BuildPathResult } from "../../../verbs/objects/build.ts";
import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as values from "../../build-options.ts";
import * as Flags from "../../flags.ts";
import { labelFlag, readPairs } from "../../objects.ts";

const repeated = { multiple: true, multipleNonGreedy: true } as const;
const list = (helpValue: string, summary: string) => Flags.string({ ...repeated, helpValue, summary });

export class ImageBuild extends SlipwayCommand {
  static override summary = "Build an image from a directory with a Dockerfile";
  static override description =
    "PATH is a directory, a git URL, or - for an archive or a Dockerfile on standard input.";
  static override examples = [
    "slipway image build -t web .",
    "slipway image build -t web:test --target test --build-arg V=1 ./web",
    "slipway image build --check .",
    "slipway image build --secret id=npm,src=$HOME/.npmrc --explain .",
  ];
  static override args = {
    path: Args.string({ required: true, description: "The build context" }),
  };
  static override flags = {
    tag: Flags.string({ char: "t", ...repeated, helpValue: "NAME", summary: "Name of the image" }),
    file: Flags.string({ char: "f", helpValue: "FILE", summary: "Dockerfile, else PATH/Dockerfile" }),
    target: Flags.string({ helpValue: "STAGE", summary: "Stage to build" }),
    "build-arg": list("KEY=VALUE", "Value of an ARG; a bare KEY is taken from the environment"),
    label: labelFlag,
    platform: Flags.string({ helpValue: "OS/ARCH", summary: "For another kind of machine" }),
    network: Flags.string({ helpValue: "MODE", summary: "Network of RUN: default, none or host" }),
    "no-cache": Flags.boolean({ summary: "Do every step anew" }),
    "no-cache-filter": list("STAGE", "Do the steps of a stage anew"),
    pull: Flags.boolean({ summary: "Look for newer base images" }),
    secret: list("id=ID,src=FILE", "What RUN --mount=type=secret may read"),
    ssh: list("ID[=SOCKET]", "Agent for RUN --mount=type=ssh"),
    "build-context": list("NAME=PATH", "One more context, for COPY --from=NAME and FROM NAME"),
    "add-host": list("NAME:ADDRESS", "Line of /etc/hosts of RUN"),
    "shm-size": Flags.string({ helpValue: "SIZE", summary: "Size of /dev/shm of RUN" }),
    ulimit: list("NAME=SOFT[:HARD]", "Limit of RUN's processes"),
    allow: list("ENTITLEMENT", "network.host or security.insecure"),
    output: Flags.string({
      char: "o",
      ...repeated,
      helpValue: "DEST",
      summary: "type=image, registry, docker, oci, tar or local with dest=PATH; a path alone is a directory",
    }),
    push: Flags.boolean({ summary: "Push the image when it is built: type=registry" }),
    provenance: Flags.string({ helpValue: "MODE", summary: "Say how it was built: true, mode=max, false" }),
    sbom: Flags.string({ helpValue: "BOOL", summary: "Say what packages are in it" }),
    attest: list("type=TYPE,…", "The same as type=provenance,mode=MODE and type=sbom"),
    "cache-to": list("type=TYPE,…", "Take results of steps to local,dest=DIR, registry,ref=NAME or inline"),
    "cache-from": list("type=TYPE,…", "Look for results of steps in local,src=DIR or registry,ref=NAME"),
    iidfile: Flags.string({ helpValue: "FILE", summary: "Write the image's id there" }),
    "metadata-file": Flags.string({ helpValue: "FILE", summary: "Write what was built there, as JSON" }),
    check: Flags.boolean({ summary: "Only find what is wrong with the Dockerfile" }),
    explain: Flags.boolean({ summary: "Say of each step that was not cached what changed" }),
    debug: Flags.boolean({ summary: "Open a shell in the files of a step that failed" }),
    quiet: Flags.boolean({ char: "q", summary: "Show no progress, print the id" }),
  };

  override async run(): Promise<number> {
    const { flags, args } = await this.parse(ImageBuild);
    const progress = flags.quiet ? "quiet" : flags.progress;
    const context = await this.context({ ...flags, file: undefined, progress });
    const { buildPath } = await import("../../../verbs/objects/build.ts");
    const results = await import("../../build-results.ts");
    const given = [...(flags.push ? ["type=registry"] : []), ...(flags.output ?? [])];
    const outputs = results.stageOutputs(given.map(values.readOutput));
    const cached = (flag: "--cache-to" | "--cache-from", texts: readonly string[] | undefined) =>
      texts?.map((text) => values.readCache(flag, text));
    const options: BuildPathOptions = {
      context: await results.openContext(args.path),
      dockerfile: flags.file && resolve(flags.file),
      tags: flags.tag ?? [],
      target: flags.target,
      args: results.readArguments(flags["build-arg"], process.env),
      labels: readPairs(flags.label),
      platform: flags.platform,
      network: flags.network,
      noCache: flags["no-cache"],
      pull: flags.pull,
      own: {
        noCacheFilter: flags["no-cache-filter"],
        secrets: flags.secret?.map((text) => values.readSecret(text, process.env)),
        ssh: flags.ssh?.map((text) => values.readAgent(text, process.env)),
        contexts:
          flags["build-context"] && Object.fromEntries(flags["build-context"].map(values.readNamedContext)),
        extraHosts: flags["add-host"]?.map(values.readHost),
        shmSize: flags["shm-size"] === undefined ? undefined : values.readSize(flags["shm-size"]),
        ulimits: flags.ulimit?.map(values.readUlimit),
        entitlements: flags.allow,
        outputs: given.length > 0 ? outputs.list : undefined,
        attest: values.readAttest(flags),
        cacheTo: cached("--cache-to", flags["cache-to"]),
        cacheFrom: cached("--cache-from", flags["cache-from"]),
        check: flags.check,
        explain: flags.explain,
        keepFailed: flags.debug,
      },
    };
    let result: BuildPathResult;
    try {
      result = await buildPath(options, context);
    } catch (error) {
      if (flags.debug) await results.openShell(error, context.engine, (line) => this.print(line));
      throw error;
    }
    if (flags.check) return this.#printCheck(result);
    await results.writeResults(result, options.tags, {
      iidfile: flags.iidfile,
      metadata: flags["metadata-file"],
    });
    for (const [title, reasons] of result.reasons) {
      process.stderr.write(`${title}\n${reasons.map((reason) => `  ${reason}\n`).join("")}`);
    }
    if (outputs.toStdout) await outputs.toStdout(process.stdout);
    else if (result.id !== "") this.print(result.id);
    return 0;
  }

  /** Warnings are advice: with them the command ends well, unless the Dockerfile's `# check=error=true` says otherwise. */
  #printCheck({ warnings }: BuildPathResult): number {
    for (const { rule, message, line, url } of warnings)
      this.print(`WARN: ${rule}, line ${line}: ${message}\n  ${url}`);
    const count = warnings.length === 1 ? "1 warning" : `${warnings.length || "no"} warnings`;
    this.print(`Check complete, ${count}`);
    return 0;
  }
}
