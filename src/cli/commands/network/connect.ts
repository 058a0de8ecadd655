import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class NetworkConnect extends SlipwayCommand {
  static override summary = "Connect a container to a network";
  static override examples = ["slipway network connect lan shop-web-1"];
  static override args = {
    network: Args.string({ required: true, description: "Network" }),
    container: Args.string({ required: true, description: "Container" }),
  };
  static override flags = {
    alias: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "NAME",
      summary: "One more name of it there",
    }),
    ip: Flags.string({ helpValue: "ADDRESS", summary: "Its IPv4 address there" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(NetworkConnect);
    const { engine } = await this.context(flags);
    await engine.connectNetwork(args.network, {
      Container: args.container,
      EndpointConfig: {
        ...(flags.alias && { Aliases: flags.alias }),
        ...(flags.ip && { IPAMConfig: { IPv4Address: flags.ip } }),
      },
    });
  }
}
