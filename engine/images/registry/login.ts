import { EngineError } from "../../errors.ts";
import type { RegistryAuth } from "../types.ts";
import { Authorizer } from "./auth.ts";
import { bodyOf } from "./body.ts";
import { networkFailure } from "./failures.ts";
import { schemesOf } from "./settings.ts";
import type { Transport } from "./transport.ts";

const HUB = "registry-1.docker.io";
const ANSWER_LIMIT = 1 << 20;

/**
 * Tries a login at its registry's /v2/.
 *
 * @returns a token that stands for the password from now on; "" where the registry gives none
 * @throws {EngineError} unauthorized, unavailable; what was sent is not repeated
 */
export async function login(transport: Transport, auth: RegistryAuth, signal: AbortSignal): Promise<string> {
  const host = registryHost(auth.serveraddress ?? "");
  const schemes = schemesOf(transport.settings, host);
  for (const [at, scheme] of schemes.entries()) {
    const url = new URL(`${scheme}://${host}/v2/`);
    try {
      return await loginAt(url, transport, auth, signal);
    } catch (error) {
      if (error instanceof EngineError || at === schemes.length - 1 || signal.aborted)
        throw networkFailure(error, url.href);
    }
  }
  throw new EngineError("unavailable", `no endpoint for ${host}`);
}

async function loginAt(
  url: URL,
  transport: Transport,
  auth: RegistryAuth,
  signal: AbortSignal,
): Promise<string> {
  const authorizer = new Authorizer(transport, auth, { offline: true });
  for (let tried = 0; ; tried++) {
    const authorization = authorizer.header("");
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const response = await transport.send({ method: "GET", url, headers, signal });
    await bodyOf(response, ANSWER_LIMIT);
    if (response.statusCode === 200) return authorizer.identityToken;
    const challenge = response.headers["www-authenticate"];
    const again = response.statusCode === 401 && tried === 0 && challenge !== undefined;
    if (again && (await authorizer.answer(challenge, "", authorization, signal))) continue;
    const kind = response.statusCode === 401 || response.statusCode === 403 ? "unauthorized" : "system";
    const status = `${response.statusCode} ${response.statusMessage ?? ""}`.trim();
    throw new EngineError(kind, `login attempt to ${url} failed with status: ${status}`);
  }
}

/** "https://index.docker.io/v1/" is Docker Hub's name in configurations. */
function registryHost(address: string): string {
  const host = address.replace(/^https?:\/\//, "").split("/")[0] ?? "";
  return host === "" || host === "index.docker.io" || host === "docker.io" ? HUB : host;
}
