import { tarOf } from "../build/tar.ts";
import type { EngineClient } from "../client/client.ts";
import { isMissing } from "../client/failures.ts";
import { COMPOSE_VERSION, LABEL } from "../labels.ts";
import type { Project } from "../model/types.ts";
import { containerBody, graceSeconds } from "./body/body.ts";
import { fileTarget, isBound } from "./body/mounts.ts";
import { networkDefinition, serviceDefinition, volumeDefinition } from "./definition.ts";
import { explain } from "./explain.ts";
import { runHook } from "./hooks.ts";
import { runInit } from "./init.ts";
import { imageOf } from "./names.ts";
import { contentOf } from "./observe.ts";
import type { Observed } from "./observed.ts";
import type { Executors } from "./operations.ts";
import type { Readiness } from "./ready.ts";

/** One engine call for each kind of operation. What planning has not said is taken from the project. */
export function executorsFor(
  project: Project,
  observed: Pick<Observed, "images" | "contents">,
  engine: EngineClient,
  readiness: Readiness,
): Executors {
  const serviceOf = (name: string) => project.services[name] ?? project.disabledServices[name];
  return {
    async createNetwork({ network, name }) {
      const given = project.networks[network]!;
      const { driver, driver_opts, internal, attachable, enable_ipv4, enable_ipv6, ipam, labels } = given;
      await engine.createNetwork({
        Name: name,
        Driver: driver ?? "bridge",
        ...(driver_opts && { Options: { ...driver_opts } }),
        ...(internal && { Internal: internal }),
        ...(attachable && { Attachable: attachable }),
        ...(enable_ipv4 !== undefined && { EnableIPv4: enable_ipv4 }),
        ...(enable_ipv6 !== undefined && { EnableIPv6: enable_ipv6 }),
        ...(ipam && {
          IPAM: {
            ...(ipam.driver && { Driver: ipam.driver }),
            ...(ipam.options && { Options: { ...ipam.options } }),
            Config: (ipam.config ?? []).map(({ subnet, ip_range, gateway, aux_addresses }) => ({
              ...(subnet && { Subnet: subnet }),
              ...(ip_range && { IPRange: ip_range }),
              ...(gateway && { Gateway: gateway }),
              ...(aux_addresses && { AuxiliaryAddresses: { ...aux_addresses } }),
            })),
          },
        }),
        Labels: { ...labels, ...objectLabels(project, LABEL.network, network, networkDefinition(given)) },
      });
    },
    async removeNetwork({ name }) {
      await engine.removeNetwork(name);
    },
    async createVolume({ volume, name }) {
      const given = project.volumes[volume]!;
      await engine.createVolume({
        Name: name,
        ...(given.driver && { Driver: given.driver }),
        ...(given.driver_opts && { DriverOpts: { ...given.driver_opts } }),
        Labels: { ...given.labels, ...objectLabels(project, LABEL.volume, volume, volumeDefinition(given)) },
      });
    },
    async removeVolume({ name }) {
      await engine.removeVolume(name);
    },
    async removeImage({ image }) {
      await engine.removeImage(image);
    },
    async createContainer({ service: serviceName, number, container, name, carried }) {
      const service = project.services[serviceName]!;
      const definition = serviceDefinition(project, service, observed.contents);
      const image = observed.images[imageOf(project, service)];
      const body = containerBody({ project, service, number, name, image, definition, carried });
      const platform = service.platform === undefined ? {} : { platform: service.platform };
      await explain(project, serviceName, engine, () =>
        engine.createContainer({ name: container, ...platform, ...body }),
      );
    },
    async putFiles({ service: serviceName, container }) {
      const service = project.services[serviceName]!;
      const files = (["secrets", "configs"] as const).flatMap((kind) =>
        (service[kind] ?? [])
          .filter((given) => !isBound(project, kind, given))
          .map((given) => ({ kind, given })),
      );
      const entries = await Promise.all(
        files.map(async ({ kind, given }) => ({
          path: fileTarget(kind, given),
          kind: "file" as const,
          mode: Number.parseInt(given.mode ?? "0444", 8),
          uid: Number(given.uid ?? 0),
          gid: Number(given.gid ?? 0),
          content: await contentOf(project, kind, given.source),
        })),
      );
      await explain(project, serviceName, engine, () =>
        engine.putArchive(container, "/", tarOf(entries), { copyUidGid: true }),
      );
    },
    async renameContainer({ container, name }) {
      await engine.renameContainer(container, name);
    },
    async startContainer({ service, container }) {
      await explain(project, service, engine, () => engine.startContainer(container));
    },
    async runInit({ service, number, container, index }) {
      return await explain(project, service, engine, () =>
        runInit(project, { service, number, container, index }, engine),
      );
    },
    async unpauseContainer({ container }) {
      await engine.unpauseContainer(container);
    },
    async runHook({ service, number, container, when, index }) {
      const hook = serviceOf(service)![when]![index]!;
      return await runHook(project, { service, number, when, index }, hook, container, engine);
    },
    async stopContainer({ service, container, seconds }) {
      const grace = serviceOf(service)?.stop_grace_period;
      const timeout = seconds ?? (grace === undefined ? undefined : graceSeconds(grace));
      await ifThere(engine.stopContainer(container, timeout === undefined ? {} : { timeout }));
    },
    async removeContainer({ container, volumes }) {
      await ifThere(engine.removeContainer(container, { force: true, volumes }));
    },
    async awaitContainer({ service, container }) {
      try {
        return await readiness.wait(service, "ready", container);
      } catch (error) {
        // The old one goes on in its place; beside it this one would get half of the requests.
        await ifThere(engine.removeContainer(container, { force: true }));
        throw error;
      }
    },
    async awaitService({ service, condition }) {
      return await readiness.wait(service, condition);
    },
  };
}

function objectLabels(
  project: Project,
  kind: string,
  key: string,
  definition: unknown,
): Record<string, string> {
  return {
    [LABEL.project]: project.name,
    [kind]: key,
    [LABEL.version]: COMPOSE_VERSION,
    [LABEL.definition]: JSON.stringify(definition),
  };
}

/** Somebody else may have removed it since: then it is as it was to be. */
async function ifThere(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
