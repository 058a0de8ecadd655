/** How the builder gets an image that it is to build on. */
import { EngineError } from "../errors.ts";
import type { Images } from "../images/images.ts";
import type { Image, Platform } from "../images/types.ts";
import { formatPlatform } from "./plan/arguments.ts";
import type { BaseImage } from "./plan/types.ts";

export interface BaseImages {
  /**
   * Brings an image from wherever this engine gets images: a registry, or the machine's packages.
   *
   * @throws {EngineError} with the reason
   */
  fetch(reference: string, platform: Platform, status: (text: string) => void): Promise<Image>;
}

/**
 * The image under a name: the local one, unless it is to be asked for anew or is of another platform.
 *
 * @throws {EngineError} notFound where it is neither here nor to be had
 */
export async function baseImage(
  images: Pick<Images, "resolve">,
  bases: BaseImages | undefined,
  reference: string,
  platform: Platform,
  options: { readonly pull: boolean; status(text: string): void },
): Promise<BaseImage> {
  let image = images.resolve(reference);
  if (image !== undefined && !isOf(image, platform)) {
    if (bases === undefined) {
      const has = formatPlatform(image.config);
      throw new EngineError(
        "notFound",
        `${reference} is here for ${has}, not for ${formatPlatform(platform)}`,
      );
    }
    image = undefined;
  }
  if (image === undefined || options.pull) {
    if (bases !== undefined) image = await bases.fetch(reference, platform, options.status);
    else if (image === undefined) {
      throw new EngineError(
        "notFound",
        `No such image: ${reference}: pull or import it, or \`slipway image bootstrap\` it`,
      );
    }
  }
  return { reference, id: image.id, config: image.config };
}

function isOf({ config }: Image, platform: Platform): boolean {
  return config.os === platform.os && config.architecture === platform.architecture;
}
