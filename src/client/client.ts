/**
 * The only door to the engine: the Docker Engine API in typed calls, one interface a resource. It works against our
 * daemon and against Docker's; what only ours can do goes over `/slipway/v1` where `slipwayFeatures` says so.
 * Tests put fakes of these interfaces in its place.
 */
import type { BuildCalls } from "./types/builds.ts";
import type { ContainerCalls } from "./types/containers.ts";
import type { FileCalls } from "./types/files.ts";
import type { ImageCalls } from "./types/images.ts";
import type { ManifestCalls } from "./types/manifests.ts";
import type { NetworkCalls, VolumeCalls } from "./types/networks.ts";
import type { ExecCalls, StreamCalls } from "./types/streams.ts";
import type { SystemCalls } from "./types/system.ts";

export interface EngineClient
  extends SystemCalls,
    ContainerCalls,
    StreamCalls,
    ExecCalls,
    FileCalls,
    ImageCalls,
    ManifestCalls,
    BuildCalls,
    NetworkCalls,
    VolumeCalls {
  /** Where the engine answers: `unix:///run/slipway/slipway.sock`. */
  readonly address: string;
  /** Lets go of idle connections, so that the process can end. */
  close(): void;
}
