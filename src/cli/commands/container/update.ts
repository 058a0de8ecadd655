import { AppError } from "../../../errors.ts";
import { SlipwayCommand } from "../../base.ts";
import { createBody } from "../../create/body.ts";
import { createFlags } from "../../create/flags.ts";
import { namesArg } from "../../objects.ts";

const { restart, cpus, memory } = createFlags;

export class ContainerUpdate extends SlipwayCommand {
  static override summary = "Change the limits and the restart policy of containers while they run";
  static override examples = ["slipway container update --memory 256m --memory-swap 256m web"];
  static override args = namesArg("Containers");
  static override flags = {
    restart,
    cpus,
    "cpu-shares": createFlags["cpu-shares"],
    "cpu-period": createFlags["cpu-period"],
    "cpu-quota": createFlags["cpu-quota"],
    "cpu-rt-period": createFlags["cpu-rt-period"],
    "cpu-rt-runtime": createFlags["cpu-rt-runtime"],
    "cpuset-cpus": createFlags["cpuset-cpus"],
    "cpuset-mems": createFlags["cpuset-mems"],
    memory,
    "memory-reservation": createFlags["memory-reservation"],
    "memory-swap": createFlags["memory-swap"],
    "pids-limit": createFlags["pids-limit"],
    "blkio-weight": createFlags["blkio-weight"],
  };

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ContainerUpdate);
    // The update takes what a new container's HostConfig has, and nothing besides these.
    const {
      Binds: _,
      PortBindings: _none,
      ...change
    } = createBody("", [], { ...flags }, []).HostConfig ?? {};
    if (Object.keys(change).length === 0)
      throw new AppError("USAGE", "nothing is to be changed", { hint: "Such as --memory 256m." });
    const { engine } = await this.context(flags);
    const { toSeveral } = await import("../../../verbs/objects/several.ts");
    await toSeveral(
      words,
      async (name) => {
        const { Warnings } = await engine.updateContainer(name, change);
        for (const warning of Warnings ?? []) process.stderr.write(`${name}: ${warning}\n`);
      },
      (name) => this.print(name),
    );
  }
}
