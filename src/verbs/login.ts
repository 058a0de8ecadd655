import type { Context } from "../context.ts";
import { keepLogin, registryOf } from "./credentials.ts";

/**
 * Tries a login with its registry, and keeps it when it is accepted.
 *
 * @param server `registry.example:5000`; undefined: Docker Hub
 * @returns where it is kept
 */
export async function login(
  server: string | undefined,
  username: string,
  password: string,
  { engine, env }: Context,
): Promise<string> {
  const registry = registryOf(
    server === undefined ? "x" : `${server.replace(/^https?:\/\//, "").replace(/\/.*$/, "")}/x`,
  );
  const { IdentityToken } = await engine.auth({ username, password, serveraddress: registry });
  const kept = IdentityToken ? { username, identitytoken: IdentityToken } : { username, password };
  return await keepLogin(registry, kept, env);
}
