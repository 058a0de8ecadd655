import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Route } from "./api/router.ts";
import { attachSocketRoutes } from "./api/routes/attach-socket.ts";
import { buildRoutes } from "./api/routes/build.ts";
import { containerFileRoutes } from "./api/routes/container-files.ts";
import { containerStatsRoutes } from "./api/routes/container-stats.ts";
import { containerRoutes } from "./api/routes/containers.ts";
import { distributionRoutes } from "./api/routes/distribution.ts";
import { eventsRoutes } from "./api/routes/events.ts";
import { execRoutes } from "./api/routes/exec.ts";
import { bootstrapRoutes, imageRoutes } from "./api/routes/images.ts";
import { manifestRoutes } from "./api/routes/manifests.ts";
import { networkRoutes } from "./api/routes/networks.ts";
import { sessionRoutes } from "./api/routes/session.ts";
import { pluginRoutes, swarmRoutes } from "./api/routes/swarm.ts";
import { type About, systemRoutes } from "./api/routes/system.ts";
import { usageRoutes } from "./api/routes/usage.ts";
import { volumeRoutes } from "./api/routes/volumes.ts";
import { Builder } from "./builder/builder.ts";
import { Containers } from "./containers/containers.ts";
import { Events } from "./events.ts";
import { readHost } from "./host.ts";
import { Images } from "./images/images.ts";
import { readRegistrySettings } from "./images/registry/settings.ts";
import type { Log } from "./log.ts";
import { program } from "./native/program.ts";
import { engineUser } from "./native/rootless.ts";
import { Spawner } from "./native/spawner.ts";
import { NativeWorkers } from "./native/worker-client.ts";
import { Networks } from "./networks/networks.ts";
import type { DaemonOptions } from "./options.ts";
import type { Paths } from "./store/paths.ts";
import { writeDurably } from "./store/records.ts";
import { Volumes } from "./volumes/volumes.ts";

/** A running engine: what it serves, and how it is let go of. */
export interface OpenEngine {
  readonly routes: readonly Route[];
  close(): Promise<void>;
}

/** Opens every backend in the order in which they use each other, each recovering what an earlier daemon left. */
export async function openEngine(
  paths: Paths,
  options: DaemonOptions,
  version: string,
  log: Log,
): Promise<OpenEngine> {
  const registries = readRegistrySettings(options.registries);
  const events = new Events();
  await rm(paths.spawnerSocket, { force: true }); // of a daemon that was killed
  const spawner = await Spawner.start({
    program: program(),
    socket: paths.spawnerSocket,
    onLost: (reason) => lost(log, reason),
  });
  const workers = new NativeWorkers(spawner);
  const [images, networks, volumes] = await Promise.all([
    Images.open({ paths, workers, events, log, registries }),
    Networks.open({ paths, spawner, events, log, outside: process.env["SLIPWAY_OUTSIDE"] }),
    Volumes.open({ paths, events, spawner }),
  ]);
  const containers = await Containers.open({
    ...{ paths, log, events, spawner, workers, images, networks, volumes },
    cgroupParent: options.cgroupParent,
  });
  images.setRunner(containers);
  const builder = await Builder.open({ paths, workers, images, runner: containers });
  const host = readHost();
  const about: About = {
    version,
    id: await identity(paths),
    host,
    dataRoot: paths.dataRoot,
    logFile: options.logFile,
    debug: options.logLevel === "debug",
    rootless: engineUser(process.env) !== 0,
    limits: containers.limits,
    registries,
    features: ["bootstrap", "build", "check", "manifests", "registry", "take"],
    counts: () => ({ ...containers.counts(), images: images.list().length }),
    listeners: () => events.listening,
    checkNetworks: () => networks.checkMachine(),
  };
  void containers.startWanted(); // says in the log what it could not start
  return {
    routes: [
      ...systemRoutes(about),
      ...containerRoutes({ containers }),
      ...containerFileRoutes({ containers }),
      ...containerStatsRoutes({ containers }),
      ...attachSocketRoutes({ containers }),
      ...execRoutes({ containers }),
      ...imageRoutes({ images }),
      ...bootstrapRoutes({ images }),
      ...distributionRoutes({ images }),
      ...manifestRoutes({ images }),
      ...buildRoutes({ builder, workers }),
      ...networkRoutes({ networks, containers }),
      ...volumeRoutes({ volumes }),
      ...eventsRoutes({ events }),
      ...usageRoutes({ paths, containers, images, volumes, workers, builder }),
      ...sessionRoutes({ builder, images, workers, host, log, directory: paths.builder }),
      ...swarmRoutes(),
      ...pluginRoutes(),
    ],
    async close() {
      await containers.close();
      await networks.close();
      await spawner.close();
    },
  };
}

/** Without a spawner nothing can be started; containers run on, and the next command starts a whole daemon. */
function lost(log: Log, reason: string): void {
  log.error("the native program is gone", { reason });
  process.exit(1);
}

/** The id of this data root, made when it is first used. */
async function identity(paths: Paths): Promise<string> {
  const file = join(paths.dataRoot, "engine-id");
  try {
    return (await readFile(file, "utf8")).trim();
  } catch {
    const id = randomUUID();
    await writeDurably(file, `${id}\n`);
    return id;
  }
}
