/**
 * Labels that tie engine objects to a project. The `com.docker.compose` ones are as Compose v2 writes them: editors,
 * lazydocker, Testcontainers and `docker compose` itself read them. Ours hold what the next `up` compares with.
 */
export const LABEL = {
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  number: "com.docker.compose.container-number",
  oneoff: "com.docker.compose.oneoff", // "True" or "False"
  slug: "com.docker.compose.slug", // 64 hex, on one-off containers only
  configHash: "com.docker.compose.config-hash",
  image: "com.docker.compose.image", // the image's id when the container was made
  dependsOn: "com.docker.compose.depends_on", // name:condition:restart, comma-separated
  configFiles: "com.docker.compose.project.config_files", // absolute, comma-separated
  workingDir: "com.docker.compose.project.working_dir",
  environmentFile: "com.docker.compose.project.environment_file",
  version: "com.docker.compose.version",
  network: "com.docker.compose.network",
  volume: "com.docker.compose.volume",
  /** JSON of the definition that made the object, in the canonical form of reconcile/definition.ts. */
  definition: "dev.slipway.definition",
} as const;

/** What `com.docker.compose.version` says: the Compose release whose labels and names these are. */
export const COMPOSE_VERSION = "2.26.1";

/** The engine's filter for everything that belongs to a project. */
export function projectFilter(project: string): { readonly label: readonly string[] } {
  return { label: [`${LABEL.project}=${project}`] };
}
