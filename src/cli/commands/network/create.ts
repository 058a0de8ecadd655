import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { labelFlag, readPairs } from "../../objects.ts";

export class NetworkCreate extends SlipwayCommand {
  static override summary = "Create a network";
  static override examples = [
    "slipway network create lan",
    "slipway network create --subnet 10.9.0.0/24 --internal back",
  ];
  static override args = {
    name: Args.string({ required: true, description: "Its name" }),
  };
  static override flags = {
    driver: Flags.string({ char: "d", default: "bridge", summary: "Driver" }),
    subnet: Flags.string({ helpValue: "CIDR", summary: "Range of its addresses" }),
    gateway: Flags.string({ helpValue: "ADDRESS", summary: "Address of the machine in it" }),
    "ip-range": Flags.string({
      helpValue: "CIDR",
      summary: "Part of the subnet that containers get addresses from",
    }),
    internal: Flags.boolean({ summary: "No way out of it" }),
    attachable: Flags.boolean({ hidden: true }),
    ipv6: Flags.boolean({ summary: "With IPv6" }),
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
    const { flags, args } = await this.parse(NetworkCreate);
    const { engine } = await this.context(flags);
    const { subnet, gateway } = flags;
    const pool = {
      ...(subnet && { Subnet: subnet }),
      ...(gateway && { Gateway: gateway }),
      ...(flags["ip-range"] && { IPRange: flags["ip-range"] }),
    };
    const { Id, Warning } = await engine.createNetwork({
      Name: args.name,
      Driver: flags.driver,
      Internal: flags.internal,
      Attachable: flags.attachable,
      EnableIPv6: flags.ipv6,
      Options: readPairs(flags.opt),
      Labels: readPairs(flags.label),
      ...(Object.keys(pool).length > 0 && { IPAM: { Config: [pool] } }),
    });
    if (Warning) process.stderr.write(`! ${Warning}\n`);
    this.print(Id);
  }
}
