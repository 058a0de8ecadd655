import { followProgress } from "../progress.ts";
import type { Transport } from "../transport.ts";
import type { ManifestCalls, RegistryAccess } from "../types/manifests.ts";

const AT = "/slipway/v1/manifests";

export function manifestCalls(engine: Transport): ManifestCalls {
  return {
    async createManifestList(list, images, { amend, ...access }) {
      const call = { json: { list, images, amend }, ...accessOf(access) };
      return (await engine.json<{ name: string }>("POST", `${AT}/create`, call)).name;
    },
    annotateManifestList: (list, image, platform) =>
      engine.done("POST", `${AT}/annotate`, { json: { list, image, platform } }),
    async inspectManifest(name, access) {
      const call = { json: { name }, ...accessOf(access) };
      return (await engine.json<{ text: string }>("POST", `${AT}/inspect`, call)).text;
    },
    async pushManifestList(list, { purge, onPushed, ...access }) {
      let digest = "";
      const response = await engine.open("POST", `${AT}/push`, {
        json: { list, purge },
        ...accessOf(access),
      });
      await followProgress(response, "IMAGE_PULL", ({ status, aux }) => {
        if (typeof aux?.["Digest"] === "string") digest = aux["Digest"];
        if (status !== undefined) onPushed?.(status);
      });
      return digest;
    },
    removeManifestList: (list) => engine.done("POST", `${AT}/remove`, { json: { list } }),
  };
}

/** @see Docker's X-Registry-Config: URL-safe base64 of the logins as JSON */
function accessOf({ logins, signal }: RegistryAccess): {
  readonly headers: Record<string, string>;
  readonly signal?: AbortSignal;
} {
  const config = Buffer.from(JSON.stringify(logins)).toString("base64url");
  return { headers: { "X-Registry-Config": config }, ...(signal && { signal }) };
}
