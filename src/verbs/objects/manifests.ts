/** `manifest …`: lists of images for several platforms, which the engine keeps until they are pushed. */
import type { RegistryAccess } from "../../client/types/manifests.ts";
import type { RegistryLogin } from "../../client/types/system.ts";
import type { Context } from "../../context.ts";
import { AppError } from "../../errors.ts";
import { loginFor } from "../credentials.ts";

/** @returns the list's name @throws {AppError} ENGINE_TOO_OLD, ENGINE_FAILED */
export async function createList(
  list: string,
  images: readonly string[],
  amend: boolean,
  context: Context,
): Promise<string> {
  await needLists(context);
  return context.engine.createManifestList(list, images, { ...(await accessTo(images, context)), amend });
}

export async function inspectList(name: string, context: Context): Promise<string> {
  await needLists(context);
  return context.engine.inspectManifest(name, await accessTo([name], context));
}

/** @param onPushed is told of each image @returns the list's digest */
export async function pushList(
  list: string,
  purge: boolean,
  onPushed: (text: string) => void,
  context: Context,
): Promise<string> {
  await needLists(context);
  return context.engine.pushManifestList(list, { ...(await accessTo([list], context)), purge, onPushed });
}

/** @throws {AppError} ENGINE_TOO_OLD where the engine is Docker's, whose own client does this */
export async function needLists({ engine }: Context): Promise<void> {
  if ((await engine.slipwayFeatures()).has("manifests")) return;
  throw new AppError("ENGINE_TOO_OLD", `the engine at ${engine.address} keeps no manifest lists`, {
    hint: "Use slipway's own engine: leave DOCKER_HOST unset.",
  });
}

/** The logins of the registries that the names are of, and of no others. */
async function accessTo(names: readonly string[], { env, signal }: Context): Promise<RegistryAccess> {
  const logins: Record<string, RegistryLogin> = {};
  for (const name of names) {
    const login = await loginFor(name, env);
    if (login !== undefined) logins[domainOf(login)] = login;
  }
  return { logins, signal };
}

/** Docker Hub has a name of its own in the file of logins. */
function domainOf({ serveraddress = "" }: RegistryLogin): string {
  return serveraddress.includes("index.docker.io") ? "docker.io" : serveraddress;
}
