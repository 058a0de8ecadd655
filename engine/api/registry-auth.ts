import { EngineError } from "../errors.ts";
import type { RegistryAuth } from "../images/types.ts";
import type { ApiRequest } from "./router.ts";

/**
 * The login that a client sends along: X-Registry-Auth, base64 (either alphabet) of JSON.
 *
 * @returns undefined if there is none @throws {EngineError} invalid; what was sent is not repeated
 */
export function registryAuth({ headers }: Pick<ApiRequest, "headers">): RegistryAuth | undefined {
  const header = headers["x-registry-auth"];
  if (typeof header !== "string" || header === "") return undefined;
  try {
    const auth = JSON.parse(Buffer.from(header, "base64").toString("utf8")) as RegistryAuth | null;
    if (typeof auth !== "object" || auth === null) throw new TypeError("not an object");
    return auth;
  } catch {
    throw new EngineError("invalid", "invalid X-Registry-Auth header");
  }
}

/** Docker Hub's name in lists of logins, a remnant of its first API. */
const HUB = "https://index.docker.io/v1/";

/**
 * The logins of a request that may concern several registries.
 *
 * @param header base64 of `{registry: {username, password, …}}`
 * @throws {EngineError} invalid; what was sent is not repeated
 */
export function registryLogins(
  header: string | readonly string[] | undefined,
): ((registry: string) => RegistryAuth | undefined) | undefined {
  if (typeof header !== "string" || header === "") return undefined;
  try {
    const known = JSON.parse(Buffer.from(header, "base64").toString("utf8")) as Record<string, RegistryAuth>;
    return (registry) =>
      known[registry] ?? known[`https://${registry}`] ?? known[registry === "docker.io" ? HUB : ""];
  } catch (cause) {
    throw new EngineError("invalid", "X-Registry-Config cannot be read", { cause });
  }
}
