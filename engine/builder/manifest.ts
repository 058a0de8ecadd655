/** What a COPY took, path by path: tells what changed since, so that only that is copied anew. */

/** Path relative to what is copied → kind, mode and content; the root itself is left out. */
export type Manifest = ReadonlyMap<string, string>;

export interface ManifestChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

export function compareManifests(before: Manifest, now: Manifest): ManifestChanges {
  const added: string[] = [];
  const changed: string[] = [];
  for (const [path, signature] of now) {
    const old = before.get(path);
    if (old === undefined) added.push(path);
    else if (old !== signature) changed.push(path);
  }
  return { added, changed, removed: [...before.keys()].filter((path) => !now.has(path)) };
}

export function formatManifest(manifest: Manifest): string {
  // Names may hold anything but NUL.
  return [...manifest].map(([path, signature]) => `${signature}\0${path}\0`).join("");
}

export function parseManifest(text: string): Manifest {
  const parts = text.split("\0");
  const manifest = new Map<string, string>();
  for (let at = 0; at + 1 < parts.length; at += 2) manifest.set(parts[at + 1]!, parts[at]!);
  return manifest;
}
