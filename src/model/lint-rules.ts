/** The rules of `lint.ts`. */
import type { LintedService, LintInput, Say } from "./lint.ts";
import { child, entriesOf, isMap, itemsOf, type Node, textOf } from "./node.ts";
import { usedBy } from "./resources.ts";
import { formatScalar } from "./scalars.ts";

type ServiceRule = (linted: LintedService) => void;

const keyed = (node: Node) => node.key ?? node.at;

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

/** The engine keeps build caches in directories; other places of `cache_from` and `cache_to` are left alone. */
const foreignCache: ServiceRule = ({ name, service, say }) => {
  for (const key of ["cache_from", "cache_to"]) {
    for (const item of itemsOf(child(child(service, "build"), key))) {
      if (textOf(item)?.includes("type=local")) continue;
      say(
        "CACHE_UNUSED",
        `services.${name}.build.${key}: ${textOf(item)} takes no part in builds by Slipway's engine`,
        item.at,
        "Name a directory: type=local,src=DIR, and type=local,dest=DIR for cache_to.",
      );
    }
  }
};

const scaledPort: ServiceRule = ({ name, service, say }) => {
  const scale = child(child(service, "deploy"), "replicas") ?? child(service, "scale");
  if (scale?.kind !== "scalar" || Number(scale.value) <= 1) return;
  for (const port of itemsOf(child(service, "ports"))) {
    const published = textOf(child(port, "published"));
    if (published && /^\d+$/.test(published))
      say(
        "SCALED_PORT",
        `services.${name} has ${scale.value} containers, and only one can publish port ${published}`,
        port.at,
        "Publish a range, or leave the published port out.",
      );
  }
};

/** A value that YAML took for something else than it looks like. */
const unquoted: ServiceRule = ({ name, service, say }) => {
  for (const section of ["environment", "labels"]) {
    for (const [key, value] of entriesOf(child(service, section))) {
      if (value.kind !== "scalar" || value.source === undefined) continue;
      const text = formatScalar(value.value, value.source);
      if (text !== value.source && value.source !== "")
        say(
          "UNQUOTED",
          `services.${name}.${section}.${key}: ${value.source} becomes ${text}`,
          value.at,
          `Put it in quotes: "${value.source}".`,
        );
    }
    for (const [key, value] of entriesOf(child(service, section))) {
      const written = value.kind === "scalar" ? value.at.file.text.slice(value.at.start, value.at.end) : "";
      if (/^\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?$/.test(written))
        say(
          "UNQUOTED",
          `services.${name}.${section}.${key}: docker compose turns the date ${written} into another text`,
          value.at,
          `Put it in quotes: "${written}".`,
        );
    }
  }
};

const latestNever: ServiceRule = ({ name, service, say }) => {
  const image = child(service, "image");
  if (
    textOf(child(service, "pull_policy")) !== "never" ||
    !image ||
    !/^[^:@]*(\/[^:@]*)?(:latest)?$/.test(textOf(image) ?? "")
  )
    return;
  say(
    "LATEST_NEVER",
    `services.${name}: "latest" with pull_policy never is whatever this machine happens to have`,
    image.at,
    "Name a version.",
  );
};

const SECRET = /(pass(word|wd|phrase)?|secret|token|api_?key|private_?key|credentials?)$/i;

const plainSecret: ServiceRule = ({ name, service, say }) => {
  for (const [key, value] of entriesOf(child(service, "environment"))) {
    if (!SECRET.test(key) || !textOf(value)) continue;
    const unset = value.filled?.find(({ from }) => from === "unset");
    if (unset)
      say(
        "DOLLAR",
        `services.${name}.environment.${key}: $${unset.name} is read as a variable, and it is set nowhere`,
        value.at,
        "Write $$ for a dollar sign.",
      );
    else if (!value.filled && value.at.file.path.match(/\.ya?ml$|^-$/))
      say(
        "PLAIN_SECRET",
        `services.${name}.environment.${key} stands in the file for all to read`,
        value.at,
        `Use secrets, or \${${key}} and a file that is not shared.`,
      );
  }
};

const bindSource: ServiceRule = ({ name, service, files, say }) => {
  for (const volume of itemsOf(child(service, "volumes"))) {
    const source = child(volume, "source");
    const path = textOf(source);
    const made = child(child(volume, "bind"), "create_host_path");
    // Where it is not to be made, `up` refuses by itself.
    if (made?.kind === "scalar" && made.value === false) continue;
    if (
      textOf(child(volume, "type")) !== "bind" ||
      !source ||
      !path?.startsWith("/") ||
      files.kind(path) !== undefined
    )
      continue;
    say(
      "NO_BIND_SOURCE",
      `services.${name}: there is no ${path}`,
      source.at,
      "It will be made, as an empty folder of root's.",
    );
  }
};

const imageName: ServiceRule = ({ name, service, say }) => {
  const image = child(service, "image");
  const text = textOf(image);
  if (!image || !text) return;
  if (/\s/.test(text))
    say("IMAGE_NAME", `services.${name}: an image's name has no spaces`, image.at, "Look at the name.");
  else if (
    /[A-Z]/.test(
      text
        .split("@")[0]!
        .replace(/:[^/]*$/, "")
        .replace(/^[^/]*[.:][^/]*\//, ""),
    )
  )
    say(
      "IMAGE_NAME",
      `services.${name}: an image's name is lower case`,
      image.at,
      `Write "${text.toLowerCase()}".`,
    );
};

const exposed: ServiceRule = ({ name, service, say }) => {
  for (const port of itemsOf(child(service, "expose"))) {
    if (!/^\d+(-\d+)?(\/(tcp|udp|sctp))?$/.test(textOf(port) ?? ""))
      say(
        "EXPOSE",
        `services.${name}.expose: "${textOf(port)}" is no port`,
        port.at,
        "Write PORT or PORT/udp.",
      );
  }
};

const restart: ServiceRule = ({ name, service, say }) => {
  const value = child(service, "restart");
  if (value && !/^(no|always|unless-stopped|on-failure(:\d+)?)$/.test(textOf(value) ?? ""))
    say(
      "RESTART",
      `services.${name}.restart: nobody knows "${textOf(value)}"`,
      value.at,
      "Use no, always, unless-stopped, on-failure or on-failure:N.",
    );
};

const labels: ServiceRule = ({ name, service, say }) => {
  for (const [key, value] of entriesOf(child(service, "labels"))) {
    if (key.startsWith("com.docker.compose."))
      say(
        "RESERVED_LABEL",
        `services.${name}: the label ${key} is set by the program itself`,
        keyed(value),
        "Use a name of your own.",
      );
  }
};

const credentials: ServiceRule = ({ name, service, say }) => {
  const spec = child(service, "credential_spec");
  if (isMap(spec) && [...spec.entries.keys()].filter((key) => !key.startsWith("x-")).length > 1)
    say(
      "CREDENTIAL_SPEC",
      `services.${name}.credential_spec has more than one source`,
      keyed(spec),
      "Keep one of config, file, registry.",
    );
};

export const SERVICE_RULES: readonly ServiceRule[] = [
  healthy,
  foreignCache,
  scaledPort,
  unquoted,
  latestNever,
  plainSecret,
  bindSource,
  imageName,
  exposed,
  restart,
  labels,
  credentials,
];

type ModelRule = (input: LintInput, say: Say) => void;

const unused: ModelRule = ({ model }, say) => {
  const used = usedBy(model.entries.get("services"));
  for (const kind of ["networks", "volumes", "secrets", "configs"] as const) {
    for (const [name, node] of entriesOf(model.entries.get(kind))) {
      if (!used[kind].has(name) && !node.implied)
        say(
          "UNUSED",
          `${kind}.${name} is declared, and no service uses it`,
          keyed(node),
          "Take it away, or look for a misspelt name in a service.",
        );
    }
  }
};

const portClash: ModelRule = ({ services }, say) => {
  const taken = new Map<string, { readonly service: string; readonly address: string }[]>();
  for (const [service, node] of services.entries) {
    for (const port of itemsOf(child(node, "ports"))) {
      const published = textOf(child(port, "published"));
      if (!published || published.includes("-")) continue;
      const address = textOf(child(port, "host_ip")) ?? "";
      const key = `${published}/${textOf(child(port, "protocol"))}`;
      const others = taken.get(key) ?? [];
      const clash = others.find(
        (other) =>
          other.address === address ||
          other.address === "" ||
          address === "" ||
          address === "0.0.0.0" ||
          other.address === "0.0.0.0",
      );
      if (clash)
        say(
          "PORT_CLASH",
          `services.${service} publishes port ${key}, and so does ${clash.service === service ? "another entry of it" : `services.${clash.service}`}`,
          port.at,
          "Publish another port.",
        );
      taken.set(key, [...others, { service, address }]);
    }
  }
};

const external: ModelRule = ({ model }, say) => {
  for (const kind of ["networks", "secrets", "configs"]) externalOf(kind, model.entries.get(kind), say);
};

function externalOf(kind: string, section: Node | undefined, say: Say): void {
  for (const [name, network] of entriesOf(section)) {
    const external = child(network, "external");
    if (external?.kind !== "scalar" || external.value !== true) continue;
    for (const [key, value] of entriesOf(network)) {
      if (!["external", "name"].includes(key) && !key.startsWith("x-"))
        say(
          "EXTERNAL_IGNORED",
          `${kind}.${name} is external, so ${key} has no effect`,
          keyed(value),
          "Keep `external` and `name`.",
        );
    }
  }
}

export const MODEL_RULES: readonly ModelRule[] = [unused, portClash, external];
