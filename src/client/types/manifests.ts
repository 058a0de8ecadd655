/** Lists of images for several platforms; only where `slipwayFeatures` has `manifests`. */
import type { Abortable } from "./common.ts";
import type { RegistryLogin } from "./system.ts";

export interface ManifestCalls {
  /** @returns the list's name as people write it */
  createManifestList(
    list: string,
    images: readonly string[],
    options: RegistryAccess & { readonly amend: boolean },
  ): Promise<string>;
  annotateManifestList(list: string, image: string, platform: Partial<ManifestPlatform>): Promise<void>;
  /** The document of a list that the engine keeps, or else of what a registry has. */
  inspectManifest(name: string, options: RegistryAccess): Promise<string>;
  /** @returns the list's digest */
  pushManifestList(
    list: string,
    options: RegistryAccess & { readonly purge: boolean; onPushed?(text: string): void },
  ): Promise<string>;
  removeManifestList(list: string): Promise<void>;
}

export interface RegistryAccess extends Abortable {
  /** By the domain of names: "docker.io", "localhost:5000". */
  readonly logins: Readonly<Record<string, RegistryLogin>>;
}

export interface ManifestPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
  readonly "os.version": string;
  readonly "os.features": readonly string[];
}
