import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { labelFlag, readPairs } from "../../objects.ts";

export class VolumeCreate extends SlipwayCommand {
  static override summary = "Create a volume";
  static override examples = [
    "slipway volume create data",
    "slipway volume create -o type=tmpfs -o device=tmpfs scratch",
  ];
  static override args = {
    name: Args.string({ description: "Its name; none: one is made up" }),
  };
  static override flags = {
    driver: Flags.string({ char: "d", default: "local", summary: "Driver" }),
    opt: Flags.string({
      char: "o",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "KEY=VALUE",
      summary: "Option of the driver",
    }),
    label: labelFlag,
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(VolumeCreate);
    const { engine } = await this.context(flags);
    const { Name } = await engine.createVolume({
      ...(args.name && { Name: args.name }),
      Driver: flags.driver,
      DriverOpts: readPairs(flags.opt),
      Labels: readPairs(flags.label),
    });
    this.print(Name);
  }
}
