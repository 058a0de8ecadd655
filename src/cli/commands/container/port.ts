import { AppError } from "../../../errors.ts";
import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";

export class ContainerPort extends SlipwayCommand {
  static override summary = "Show where a container's ports are published";
  static override examples = ["slipway container port web", "slipway container port web 80/tcp"];
  static override args = {
    container: Args.string({ required: true, description: "Name or id" }),
    port: Args.string({ description: "PORT[/PROTOCOL]; else all" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ContainerPort);
    const { engine } = await this.context(flags);
    const { NetworkSettings } = await engine.inspectContainer(args.container);
    const wanted = args.port && !args.port.includes("/") ? `${args.port}/tcp` : args.port;
    const found = Object.entries(NetworkSettings.Ports).flatMap(([port, list]) =>
      (list ?? []).map(({ HostIp, HostPort }) => {
        const address = HostIp.includes(":") ? `[${HostIp}]` : HostIp;
        return { port, at: `${address}:${HostPort}` };
      }),
    );
    if (wanted === undefined) for (const { port, at } of found) this.print(`${port} -> ${at}`);
    else {
      const here = found.filter(({ port }) => port === wanted);
      if (here.length === 0)
        throw new AppError("SERVICE_NOT_RUNNING", `${args.container} publishes no port ${wanted}`);
      for (const { at } of here) this.print(at);
    }
  }
}
