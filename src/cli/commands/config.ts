import { writeFileSync } from "node:fs";
import type { SkippedSteps, Warning } from "../../model/types.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { servicesArg } from "../options.ts";

/** Flags that print a list in place of the model. */
const LISTED = ["services", "volumes", "networks", "models", "images", "profiles", "environment"] as const;

const list = (summary: string) => Flags.boolean({ summary });

export class Config extends SlipwayCommand {
  static override summary = "Show the project as it is after all files, variables and defaults";
  static override examples = [
    "slipway config",
    "slipway config --format json web",
    "slipway config --provenance",
    "slipway config --lint",
    "slipway -f a.yaml -f b.yaml config -q",
  ];
  static override args = servicesArg;
  static override flags = {
    format: Flags.string({ options: ["yaml", "json"], default: "yaml", summary: "Form of the output" }),
    quiet: Flags.boolean({ char: "q", summary: "Only check the files" }),
    output: Flags.string({ char: "o", helpValue: "FILE", summary: "Write to a file" }),
    services: list("Names of services, dependencies first"),
    volumes: list("Names of volumes"),
    networks: list("Names of networks"),
    models: list("Names of models"),
    images: list("Names of images"),
    profiles: list("Names of profiles"),
    environment: list("Variables that the files are filled from"),
    variables: list("Variables that the files ask for"),
    hash: Flags.string({ helpValue: "SERVICES", summary: 'Digest of each service; "*" is all' }),
    provenance: list("Each value with the file, line and variables it comes from"),
    lint: list("What is accepted and yet likely wrong; exit status 15 if there is any"),
    "no-interpolate": list("Leave variables alone"),
    "no-normalize": list("Leave out what nobody wrote"),
    "no-path-resolution": list("Leave relative paths alone"),
    "no-consistency": list("Do not check names and conflicts"),
    "no-env-resolution": list("Do not read env_file"),
    "resolve-image-digests": list("Put digests beside tags, as the registries have them now"),
    "lock-image-digests": list("Print only the images with their digests, as an override file"),
  };

  override async run(): Promise<number | undefined> {
    const { flags, words: services } = await this.parse(Config);
    const skip: SkippedSteps = {
      interpolation: flags["no-interpolate"],
      normalization: flags["no-normalize"],
      paths: flags["no-path-resolution"],
      consistency: flags["no-consistency"],
      environment: flags["no-env-resolution"],
    };
    const source = { ...this.source(flags, services), skip };
    const verb = await import("../../verbs/config.ts");
    const print = (text: string): void => {
      if (flags.output !== undefined) writeFileSync(flags.output, text);
      else process.stdout.write(text);
    };
    const printLines = (lines: readonly string[]): void => print(lines.map((line) => `${line}\n`).join(""));

    const listed = LISTED.find((name) => flags[name]);
    if (listed) return void printLines(await verb.configList(source, listed, services));
    if (flags.hash !== undefined) return void printLines(await verb.configHashes(source, flags.hash));
    if (flags.lint) return await this.#lint(await verb.lint(source), flags.format === "json");
    if (flags.provenance && flags.format === "json")
      return void print(`${await verb.explainJson(source, undefined)}\n`);
    if (flags.provenance) return void printLines(await verb.explain(source, undefined));
    if (flags.variables) {
      const { projectVariables } = await import("../../model/variables.ts");
      const { tableText } = await import("../../ui/table.ts");
      const rows = (await projectVariables(source)).map((each) => [
        each.name,
        String(each.required),
        each.default,
        each.alternative,
      ]);
      return void print(`${tableText(["NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"], rows)}\n`);
    }
    const pinned = flags["resolve-image-digests"] || flags["lock-image-digests"];
    const digestsFrom = pinned ? await this.context(flags) : undefined;
    const format = flags.format as "yaml" | "json";
    const { text, warnings } = await verb.config(source, {
      services,
      format,
      digestsFrom,
      lockOnly: flags["lock-image-digests"],
    });
    const { warningText } = await import("../../ui/warnings.ts");
    for (const warning of warnings)
      process.stderr.write(`${warningText(warning, process.cwd())}
`);
    if (!flags.quiet) print(text);
    return 0;
  }

  async #lint(warnings: readonly Warning[], json: boolean): Promise<number> {
    const { warningText } = await import("../../ui/warnings.ts");
    if (json) this.print(JSON.stringify(warnings, undefined, 2));
    else for (const warning of warnings) this.print(warningText(warning, process.cwd()));
    return warnings.length > 0 ? 15 : 0;
  }
}
