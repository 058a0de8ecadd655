import { EngineError } from "../../errors.ts";
import type { Images } from "../../images/images.ts";
import { Authorizer } from "../../images/registry/auth.ts";
import type { Descriptor } from "../../images/registry/manifest.ts";
import { isInsecure } from "../../images/registry/settings.ts";
import { bodyOf, type Transport } from "../../images/registry/transport.ts";
import type { RegistryAuth } from "../../images/types.ts";
import { registryAuth } from "../registry-auth.ts";
import type { Route } from "../router.ts";

const HUB = "registry-1.docker.io";
const ANSWER_LIMIT = 1 << 20;

/** What is asked of registries without pulling: logins and descriptions. */
export function distributionRoutes({ images }: { readonly images: Images }): Route[] {
  return [
    {
      method: "POST",
      path: "/auth",
      async handle(request, reply) {
        await checkLogin(images.transport, await request.json<RegistryAuth>(), request.signal);
        reply.json(200, { IdentityToken: "", Status: "Login Succeeded" });
      },
    },
    {
      method: "GET",
      path: "/distribution/{name*}/json",
      async handle(request, reply) {
        const auth = registryAuth(request);
        const { bytes, digest, parsed, session } = await images.remoteManifest(request.params["name"] ?? "", {
          ...(auth && { auth }),
          signal: request.signal,
        });
        const platforms =
          parsed.kind === "index"
            ? parsed.manifests.map(({ platform }) => platform).filter((platform) => platform !== undefined)
            : [platformOfConfig(await session.smallBlob(parsed.config))];
        const descriptor: Descriptor = { mediaType: parsed.mediaType, digest, size: bytes.length };
        reply.json(200, { Descriptor: descriptor, Platforms: platforms });
      },
    },
  ];
}

function platformOfConfig(bytes: Buffer): object {
  const { architecture, os, variant } = JSON.parse(bytes.toString("utf8")) as Record<string, unknown>;
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}

/** Asks the registry's /v2/ with the login. @throws {EngineError} unauthorized, unavailable */
async function checkLogin(transport: Transport, auth: RegistryAuth, signal: AbortSignal): Promise<void> {
  const host = registryHost(auth.serveraddress ?? "");
  const schemes = isInsecure(transport.settings, host) ? ["https", "http"] : ["https"];
  for (const [at, scheme] of schemes.entries()) {
    const url = new URL(`${scheme}://${host}/v2/`);
    const authorizer = new Authorizer(transport, auth);
    try {
      for (let tried = 0; ; tried++) {
        const authorization = authorizer.header("");
        const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
        const response = await transport.send({ method: "GET", url, headers, signal });
        const body = await bodyOf(response, ANSWER_LIMIT);
        if (response.statusCode === 200) return;
        const challenge = response.headers["www-authenticate"];
        const again = response.statusCode === 401 && tried === 0 && challenge !== undefined;
        if (again && (await authorizer.answer(challenge, "", authorization, signal))) continue;
        const kind = response.statusCode === 401 || response.statusCode === 403 ? "unauthorized" : "system";
        throw new EngineError(
          kind,
          `login attempt to ${url} failed with status: ${response.statusCode} ${response.statusMessage ?? ""} ${firstError(body)}`.trim(),
        );
      }
    } catch (error) {
      if (error instanceof EngineError || at === schemes.length - 1) throw error;
    }
  }
}

/** "https://index.docker.io/v1/" is Docker Hub's name in configurations. */
function registryHost(address: string): string {
  const host = address.replace(/^https?:\/\//, "").split("/")[0] ?? "";
  return host === "" || host === "index.docker.io" || host === "docker.io" ? HUB : host;
}

function firstError(body: Buffer): string {
  try {
    const { errors } = JSON.parse(body.toString("utf8")) as {
      errors?: { code?: string; message?: string }[];
    };
    const first = errors?.[0];
    return first === undefined ? "" : `${(first.code ?? "").toLowerCase()}: ${first.message ?? ""}`;
  } catch {
    return "";
  }
}
