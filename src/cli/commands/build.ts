import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { servicesArg } from "../options.ts";

export class Build extends SlipwayCommand {
  static override summary = "Build the images of services";
  static override examples = [
    "slipway build",
    "slipway build --no-cache web",
    "slipway build --build-arg VERSION=2 api",
  ];
  static override args = servicesArg;
  static override flags = {
    "build-arg": Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "KEY=VALUE",
      summary: "Value of an ARG",
    }),
    "no-cache": Flags.boolean({ summary: "Do every step anew" }),
    pull: Flags.boolean({ summary: "Look for newer base images" }),
    push: Flags.boolean({ summary: "Push the images when they are built" }),
    quiet: Flags.boolean({ char: "q", summary: "Show no progress" }),
    "with-dependencies": Flags.boolean({ summary: "Also the services they depend on" }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Build);
    const context = await this.context(flags.quiet ? { ...flags, progress: "quiet" } : flags);
    const { build } = await import("../../verbs/build.ts");
    const args = Object.fromEntries(
      (flags["build-arg"] ?? []).map((text) => {
        const [, key = text, value] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
        return [key, value ?? process.env[key] ?? null];
      }),
    );
    await build(
      this.source(flags, services),
      {
        services,
        dependencies: flags["with-dependencies"],
        push: flags.push,
        flags: { args, ...(flags["no-cache"] && { noCache: true }), ...(flags.pull && { pull: true }) },
      },
      context,
    );
  }
}
