import type { Images } from "../../images/images.ts";
import { login } from "../../images/registry/login.ts";
import type { Descriptor } from "../../images/registry/manifest.ts";
import type { RegistryAuth } from "../../images/types.ts";
import { registryAuth } from "../registry-auth.ts";
import type { Route } from "../router.ts";

/** What is asked of registries without pulling: logins and descriptions. */
export function distributionRoutes({ images }: { readonly images: Images }): Route[] {
  return [
    {
      method: "POST",
      path: "/auth",
      async handle(request, reply) {
        const IdentityToken = await login(
          images.transport,
          await request.json<RegistryAuth>(),
          request.signal,
        );
        reply.json(200, { IdentityToken, Status: "Login Succeeded" });
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
