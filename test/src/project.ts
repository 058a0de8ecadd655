import type { Project, Service, SourcePosition } from "../../src/model/types.ts";

/** A project for tests of what comes after the model: services by name, everything else empty unless given. */
export function project(
  services: Readonly<Record<string, Partial<Service>>>,
  rest: Partial<Project> = {},
  positions: Readonly<Record<string, SourcePosition>> = {},
): Project {
  return {
    name: "shop",
    services: Object.fromEntries(
      Object.entries(services).map(([name, service]) => [
        name,
        { name, image: "busybox", networks: { default: {} }, ...service },
      ]),
    ),
    disabledServices: {},
    networks: { default: { name: "shop_default" } },
    volumes: {},
    secrets: {},
    configs: {},
    models: {},
    extensions: {},
    workingDir: "/shop",
    files: ["/shop/compose.yaml"],
    envFiles: [],
    environment: {},
    profiles: [],
    warnings: [],
    positionOf: (path) => positions[path.join(".")],
    lint: () => [],
    provenanceOf: () => undefined,
    ...rest,
  };
}

/** `depends_on` in its long form: `needs({ db: "service_healthy" })`. */
export function needs(
  conditions: Readonly<
    Record<string, "service_started" | "service_healthy" | "service_completed_successfully">
  >,
  restart = false,
): NonNullable<Service["depends_on"]> {
  return Object.fromEntries(
    Object.entries(conditions).map(([name, condition]) => [name, { condition, restart, required: true }]),
  );
}
