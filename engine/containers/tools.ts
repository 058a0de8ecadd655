import { messageOf } from "../errors.ts";
import type { Events } from "../events.ts";
import type { Images } from "../images/images.ts";
import type { Trash } from "../images/trash.ts";
import type { Log } from "../log.ts";
import type { Workers } from "../native/workers.ts";
import type { Networks } from "../networks/networks.ts";
import type { Paths } from "../store/paths.ts";
import type { Serial } from "../store/serial.ts";
import type { Volumes } from "../volumes/volumes.ts";
import type { Container } from "./container.ts";
import type { Host } from "./host.ts";
import type { HostMounts } from "./host-mounts.ts";
import type { Launcher } from "./launcher.ts";
import type { LogCompressor } from "./logs/compress.ts";
import type { Registry } from "./registry.ts";
import type { SeccompFilters } from "./seccomp/filters.ts";

/** What the parts of this folder work with. */
export interface Tools {
  readonly paths: Paths;
  readonly log: Log;
  readonly events: Events;
  readonly host: Host;
  readonly launcher: Launcher;
  readonly mounts: HostMounts;
  readonly compressor: LogCompressor;
  readonly filters: SeccompFilters;
  readonly images: Images;
  readonly networks: Networks;
  readonly volumes: Volumes;
  readonly workers: Workers;
  readonly trash: Trash;
  readonly registry: Registry;
  /** Start, exit, removal and renaming of one container go one after the other. */
  readonly serial: Serial;
}

/** Tells the world what happened to a container; its labels go along, as clients filter by them. */
export function emit(
  tools: Pick<Tools, "events">,
  container: Container,
  action: string,
  attributes: Readonly<Record<string, string>> = {},
): void {
  const { config, name, id } = container.record;
  tools.events.emit({
    type: "container",
    action,
    actor: { id, attributes: { ...config.Labels, ...attributes, image: config.Image ?? "", name } },
  });
}

/** For a write that nobody waits for: the same facts can be had from the container's monitor. */
export function logFailure(tools: Pick<Tools, "log">, container: Container, writing: Promise<void>): void {
  writing.catch((error: unknown) => {
    tools.log.error("a container's record could not be written", {
      id: container.id,
      error: messageOf(error),
    });
  });
}
