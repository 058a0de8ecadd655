import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../errors.ts";
import type { Container } from "./container.ts";
import type { Tools } from "./tools.ts";
import type { EndpointRequest } from "./types.ts";

/**
 * Puts a container on one more network, at once if it runs, else when it starts.
 *
 * @throws {EngineError} notFound for the network; forbidden if the container has no network of its own
 */
export async function connectContainer(
  tools: Tools,
  container: Container,
  network: string,
  endpoint: EndpointRequest,
): Promise<void> {
  await tools.serial.run(container.id, async () => {
    const { Name } = tools.networks.get(network);
    const { config, endpoints, hostConfig } = container.record;
    const mode = hostConfig.NetworkMode ?? "";
    if (mode === "host" || mode.startsWith("container:")) {
      throw new EngineError(
        "forbidden",
        "container sharing network namespace with another container or host cannot be connected to any other network",
      );
    }
    if (container.live !== undefined) {
      const { id } = container;
      const running = { id, name: container.name, hostname: config.Hostname ?? "" };
      const resolvConf = await tools.networks.connect(network, running, endpoint);
      // Written into the file that is there: it is mounted in the container.
      if (resolvConf !== undefined)
        await writeFile(join(tools.paths.container(id), "resolv.conf"), resolvConf);
    } else if (endpoints[Name] !== undefined) {
      throw new EngineError(
        "forbidden",
        `endpoint with name ${container.name} already exists in network ${Name}`,
      );
    }
    await tools.registry.change(container, { endpoints: { ...endpoints, [Name]: endpoint } });
  });
}

/**
 * Takes a container off a network.
 *
 * @throws {EngineError} notFound for the network; system, as Docker has it, if the container is not on it
 */
export async function disconnectContainer(
  tools: Tools,
  container: Container,
  network: string,
  force: boolean,
): Promise<void> {
  await tools.serial.run(container.id, async () => {
    const { Name } = tools.networks.get(network);
    const { [Name]: known, ...others } = container.record.endpoints;
    if (known === undefined && !force) {
      throw new EngineError("system", `container ${container.id} is not connected to network ${Name}`);
    }
    const { id, live } = container;
    if (live !== undefined) await tools.networks.disconnect(network, { id });
    await tools.registry.change(container, { endpoints: others });
  });
}
