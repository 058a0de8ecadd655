import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class NetworkDisconnect extends SlipwayCommand {
  static override summary = "Disconnect a container from a network";
  static override examples = ["slipway network disconnect lan shop-web-1"];
  static override args = {
    network: Args.string({ required: true, description: "Network" }),
    container: Args.string({ required: true, description: "Container" }),
  };
  static override flags = { force: Flags.boolean({ char: "f", summary: "Even if the container is gone" }) };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(NetworkDisconnect);
    const { engine } = await this.context(flags);
    await engine.disconnectNetwork(args.network, { Container: args.container, Force: flags.force });
  }
}
