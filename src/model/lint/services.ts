/** What fails or surprises when a service is started. */
import type { ServiceRule } from "../lint.ts";
import { child, entriesOf, itemsOf, keyed, textOf } from "../node.ts";

const healthy: ServiceRule = ({ name, service, services, say }) => {
  for (const [key, dependency] of entriesOf(child(service, "depends_on"))) {
    if (textOf(child(dependency, "condition")) !== "service_healthy") continue;
    const target = services.entries.get(key);
    const check = child(target, "healthcheck");
    const disabled = child(check, "disable");
    const off =
      (disabled?.kind === "scalar" && disabled.value === true) ||
      textOf(itemsOf(child(check, "test"))[0]) === "NONE";
    // What is built may have its check in the Dockerfile; only the engine knows.
    if (target && (off || (!check && !child(target, "build")))) {
      say(
        "NO_HEALTHCHECK",
        `services.${name} waits until ${key} is healthy, and ${key} ${off ? "has its healthcheck taken away" : "declares no healthcheck"}`,
        keyed(dependency),
        `Give ${key} a healthcheck; unless its image has one, the start fails.`,
      );
    }
  }
};

/** Build caches are directories, registries or within the image; other services' caches are refused by the engine. */
const foreignCache: ServiceRule = ({ name, service, say }) => {
  for (const key of ["cache_from", "cache_to"]) {
    for (const item of itemsOf(child(child(service, "build"), key))) {
      const type = /\btype=([^,]*)/.exec(textOf(item) ?? "")?.[1];
      if (type === undefined || ["local", "registry", "inline"].includes(type)) continue;
      say(
        "CACHE_UNUSED",
        `services.${name}.build.${key}: Slipway's engine knows no cache of type ${type}, and refuses the build`,
        item.at,
        "Use type=registry,ref=NAME or type=local with src=DIR (dest=DIR for cache_to).",
      );
    }
  }
};

/** How many ports of the machine `80` or `8000-8003` names. */
function width(published: string): number {
  const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(published) ?? [];
  return from === undefined ? Number.POSITIVE_INFINITY : Number(to ?? from) - Number(from) + 1;
}

const scaledPort: ServiceRule = ({ name, service, say }) => {
  const scale = child(child(service, "deploy"), "replicas") ?? child(service, "scale");
  if (scale?.kind !== "scalar" || Number(scale.value) <= 1) return;
  for (const port of itemsOf(child(service, "ports"))) {
    const published = textOf(child(port, "published"));
    const ports = published ? width(published) : Number.POSITIVE_INFINITY;
    if (ports < Number(scale.value))
      say(
        "SCALED_PORT",
        `services.${name} has ${scale.value} containers, and only ${ports === 1 ? "one" : ports} can publish ${ports === 1 ? "port" : "ports"} ${published}`,
        port.at,
        "Publish a range of as many, or leave the published port out.",
      );
  }
};

const hostPorts: ServiceRule = ({ name, service, say }) => {
  const mode = child(service, "network_mode");
  const [port] = itemsOf(child(service, "ports"));
  if (!port || textOf(mode) !== "host") return;
  say(
    "HOST_PORTS",
    `services.${name} is in the machine's own network, where nothing is published`,
    port.at,
    "Leave `ports` out; the service is reached at the ports it listens on.",
  );
};

const bindSource: ServiceRule = ({ name, service, files, say }) => {
  for (const volume of itemsOf(child(service, "volumes"))) {
    const source = child(volume, "source");
    const path = textOf(source);
    const isBind = textOf(child(volume, "type")) === "bind";
    if (!isBind || !source || !path?.startsWith("/") || files.kind(path) !== undefined) continue;
    const made = child(child(volume, "bind"), "create_host_path");
    const refused = made?.kind === "scalar" && made.value === false;
    const hint = refused
      ? "`up` will refuse: create it, or leave create_host_path out."
      : "It will be made, as an empty folder of root's.";
    say("NO_BIND_SOURCE", `services.${name}: there is no ${path}`, source.at, hint);
  }
};

export const START_RULES: readonly ServiceRule[] = [healthy, foreignCache, scaledPort, hostPorts, bindSource];
