/** How the builder gets an image that it is to build on: what is here, else a registry, else this machine's packages. */
import { EngineError, messageOf } from "../errors.ts";
import { machineSuite, planBootstrap } from "../images/bootstrap/plan.ts";
import type { Images } from "../images/images.ts";
import { parseReference } from "../images/reference.ts";
import type { Image, Platform, ProgressMessage, RegistryAuth } from "../images/types.ts";
import { formatPlatform } from "./plan/arguments.ts";
import type { BaseImage } from "./plan/types.ts";

export interface BaseOptions {
  /** Asks the registry even where the image is here. */
  readonly pull: boolean;
  readonly auth?:
    | ((registry: string) => RegistryAuth | undefined | Promise<RegistryAuth | undefined>)
    | undefined;
  readonly signal?: AbortSignal | undefined;
  status(text: string): void;
}

/** @throws {EngineError} notFound or unavailable where the image is neither here nor to be had, with the reason */
export async function baseImage(
  images: Images,
  reference: string,
  platform: Platform,
  options: BaseOptions,
): Promise<BaseImage> {
  const local = images.resolve(reference);
  const fits = local !== undefined && isOf(local, platform);
  const image = fits && !options.pull ? local : await fetched(images, reference, platform, options);
  return { reference, id: image.id, config: image.config };
}

async function fetched(
  images: Images,
  reference: string,
  platform: Platform,
  options: BaseOptions,
): Promise<Image> {
  const { auth, signal, status } = options;
  const say = (message: ProgressMessage): void => {
    // Counters of single layers are no lines of a build's log.
    if (message.status !== undefined && message.progressDetail === undefined) status(message.status);
  };
  try {
    const credentials = await auth?.(parseReference(reference).domain);
    const pulled = await images.pull(
      reference,
      { platform, ...(credentials && { auth: credentials }), ...(signal && { signal }) },
      say,
    );
    return images.get(pulled.id);
  } catch (error) {
    signal?.throwIfAborted();
    if (!canBootstrap(reference)) throw error;
    status(`${reference} cannot be pulled (${messageOf(error)}); it is made from this machine's packages`);
    const made = await images.bootstrap(reference, signal === undefined ? {} : { signal }, say);
    const image = images.get(made.id);
    if (isOf(image, platform)) return image;
    throw new EngineError("notFound", `${reference} cannot be made for ${formatPlatform(platform)} here`);
  }
}

function canBootstrap(reference: string): boolean {
  try {
    planBootstrap(reference, {}, machineSuite());
    return true;
  } catch {
    return false;
  }
}

function isOf({ config }: Image, platform: Platform): boolean {
  return config.os === platform.os && config.architecture === platform.architecture;
}
