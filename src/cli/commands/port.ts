import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";

export class PortCommand extends SlipwayCommand {
  static override summary = "Print the address at which a service's port is published";
  static override examples = ["slipway port web 80", "slipway port --protocol udp dns 53"];
  static override args = {
    service: Args.string({ required: true, description: "Service" }),
    port: Args.integer({ required: true, description: "Port in the container" }),
  };
  static override flags = {
    protocol: Flags.string({ options: ["tcp", "udp"], default: "tcp", summary: "Protocol" }),
    index: Flags.integer({ min: 1, summary: "Which container of a scaled service" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(PortCommand);
    const { engine } = await this.context(flags);
    const { publishedPort } = await import("../../verbs/inventory.ts");
    const { service, port } = args;
    this.print(
      await publishedPort(this.source(flags, [service]), service, flags.index, port, flags.protocol, engine),
    );
  }
}
