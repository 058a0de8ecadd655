import type { Builder } from "./builder/builder.ts";
import type { Containers } from "./containers/containers.ts";
import type { Events } from "./events.ts";
import type { Images } from "./images/images.ts";
import type { Log } from "./log.ts";
import type { Spawner } from "./native/spawner.ts";
import type { Workers } from "./native/workers.ts";
import type { Networks } from "./networks/networks.ts";
import type { Paths } from "./store/paths.ts";
import type { Volumes } from "./volumes/volumes.ts";

/** Everything that a route can reach. main.ts assembles it once, in this order. */
export interface Engine {
  readonly paths: Paths;
  readonly log: Log;
  readonly events: Events;
  readonly spawner: Spawner;
  readonly workers: Workers;
  readonly images: Images;
  readonly networks: Networks;
  readonly volumes: Volumes;
  readonly containers: Containers;
  readonly builder: Builder;
}
