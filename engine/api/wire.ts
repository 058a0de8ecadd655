/**
 * What the API carries, one type each: taken from the functions that make it, so that a type cannot say what no route
 * sends. test/engine/api/wire.test.ts holds them to `@types/dockerode`, which clients are written against; what that has no type for
 * (info, top, history, stats) is held by the tests of the contract.
 */
import type { inspectContainer } from "../containers/inspect.ts";
import type { listEntry } from "../containers/list.ts";
import type { execShape } from "./routes/exec.ts";
import type { inspected, listed } from "./routes/images.ts";
import type { showNetwork } from "./routes/networks.ts";
import type { version } from "./routes/system.ts";
import type { volumeOnWire } from "./routes/volumes.ts";

/** `GET /version` */
export type Version = ReturnType<typeof version>;
/** `GET /containers/json`, one entry */
export type ContainerSummary = ReturnType<typeof listEntry>;
/** `GET /containers/{id}/json` */
export type ContainerInspect = ReturnType<typeof inspectContainer>;
/** `GET /exec/{id}/json` */
export type ExecInspect = ReturnType<typeof execShape>;
/** `GET /images/json`, one entry */
export type ImageSummary = ReturnType<typeof listed>[number];
/** `GET /images/{name}/json` */
export type ImageInspect = ReturnType<typeof inspected>;
/** `GET /networks/{id}`; in a list `Containers` is empty */
export type NetworkInspect = ReturnType<typeof showNetwork>;
/** `GET /volumes/{name}` */
export type VolumeInspect = ReturnType<typeof volumeOnWire>;
