import { createHash } from "node:crypto";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cache } from "./cache.ts";
import type { RegistryClient } from "./registry.ts";

/** As `docker compose publish` writes them. @see docker/compose internal/oci/push.go */
const COMPOSE_FILE = "application/vnd.docker.compose.file+yaml";
const ENV_FILE = "application/vnd.docker.compose.envfile";

export const COMPOSE_NAME = "compose.yaml";

interface Layer {
  readonly mediaType: string;
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Writes an artifact's files down, once: its Compose files as the documents of one, the files that they extend and their
 * env files beside it.
 *
 * @param manifest its bytes, whose digest is the key
 * @returns the Compose file
 */
export async function unpackArtifact(
  manifest: Buffer,
  digest: string,
  registry: RegistryClient,
  cache: Cache,
): Promise<string> {
  const { layers = [] } = JSON.parse(manifest.toString()) as { readonly layers?: readonly Layer[] };
  if (!layers.some(({ mediaType }) => mediaType === COMPOSE_FILE))
    throw new Error("it is an artifact of another kind: there is no Compose file in it");
  const folder = await cache.folder(keyOf(digest), async (fresh) => {
    let documents = 0;
    for (const { mediaType, digest, annotations = {} } of layers) {
      const file = annotations["com.docker.compose.file"];
      if (mediaType === COMPOSE_FILE && annotations["com.docker.compose.extends"] === undefined) {
        const text = await checkedBlob(registry, digest);
        await appendFile(join(fresh, COMPOSE_NAME), documents++ === 0 ? text : `\n---\n${text}`);
      } else if (mediaType === COMPOSE_FILE || mediaType === ENV_FILE) {
        const name = mediaType === ENV_FILE ? annotations["com.docker.compose.envfile"] : file;
        await writeFile(join(fresh, plainName(name)), await checkedBlob(registry, digest));
      }
    }
  });
  return join(folder, COMPOSE_NAME);
}

export const keyOf = (digest: string): string => digest.replace("sha256:", "");

/** What came is what was named. */
export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

async function checkedBlob(registry: RegistryClient, digest: string): Promise<string> {
  const bytes = await registry.blob(digest);
  if (digestOf(bytes) !== digest) throw new Error(`${digest} is damaged`);
  return bytes.toString();
}

/** Files of an artifact lie in one folder: a name with slashes would lead out of it. */
function plainName(name: string | undefined): string {
  if (name === undefined || name === "" || name === "." || name === ".." || /[/\\\0]/.test(name))
    throw new Error(`it has a file of the name "${name ?? ""}"`);
  return name;
}
