import { isAbsolute } from "node:path";
import { EngineError } from "../errors.ts";
import { decompress } from "../images/decompress.ts";
import type { Images } from "../images/images.ts";
import type { Lease } from "../images/leases.ts";
import { selectPlatform } from "../images/registry/manifest.ts";
import type { ImageConfig, Platform } from "../images/types.ts";
import { Layout } from "./caches/layout.ts";
import type { BaseImage } from "./plan/types.ts";

export const LAYOUT = "oci-layout://";

/**
 * An image that lies in a directory as an OCI layout: its layers are taken into the store for the time of the build.
 *
 * @param text `oci-layout://DIRECTORY[:TAG|@DIGEST]`, the directory absolute
 * @throws {EngineError} notFound, invalid
 */
export async function layoutImage(
  text: string,
  platform: Platform,
  images: Images,
  lease: Lease,
): Promise<BaseImage> {
  const [, directory = "", name = "latest"] =
    /^(.*?)(?:[@:]((?<=@)sha256:[0-9a-f]{64}|(?<=:)[\w][\w.-]*))?$/s.exec(text.slice(LAYOUT.length)) ?? [];
  if (!isAbsolute(directory)) throw new EngineError("invalid", `the context ${text} is not an absolute path`);
  const layout = new Layout(directory);
  let { parsed } = await layout.manifest(name);
  if (parsed.kind === "index")
    ({ parsed } = await layout.manifest(selectPlatform(parsed, platform).digest, true));
  if (parsed.kind === "index") throw new EngineError("invalid", `${text}: an index of indexes`);
  const config = JSON.parse((await layout.smallBlob(parsed.config)).toString("utf8")) as ImageConfig;
  const diffIds = config.rootfs?.diff_ids ?? [];
  if (diffIds.length !== parsed.layers.length)
    throw new EngineError(
      "invalid",
      `${text}: its manifest has another number of layers than its configuration`,
    );
  for (const [at, layer] of parsed.layers.entries()) {
    const diffId = diffIds[at]!;
    lease.hold(diffId);
    if (images.layer(diffId) !== undefined) continue;
    // Refused unless it is what the configuration says.
    const { stream } = await decompress(layout.blob(layer));
    await images.unpackLayer(stream, diffId);
  }
  return { reference: text, id: parsed.config.digest, config };
}
