/** What no schema can say: names that nothing declares, settings that exclude each other, dependencies in a circle. */
import { child, entriesOf, isMap, isNull, itemsOf, keyed, type MapNode, type Node, textOf } from "./node.ts";
import type { Problems } from "./problems.ts";
import { profilesOf } from "./profiles.ts";
import { formatScalar } from "./scalars.ts";
import { suggestion } from "./suggest.ts";

export interface Model {
  /** The enabled services only. */
  readonly services: MapNode;
  readonly disabled: MapNode;
  readonly model: MapNode;
}

export function checkConsistency(model: Model, problems: Problems): void {
  for (const [name, service] of model.services.entries) {
    if (isMap(service)) for (const check of CHECKS) check({ name, service, problems, ...model });
  }
  checkContainerNames(model.services, problems);
  checkCycles(model.services, problems);
}

/** The engine has one container of a name. */
function checkContainerNames(services: MapNode, problems: Problems): void {
  const taken = new Map<string, { readonly service: string; readonly at: Node }>();
  for (const [service, node] of services.entries) {
    const own = child(node, "container_name");
    const name = textOf(own);
    if (!own || !name) continue;
    const before = taken.get(name);
    if (before)
      problems.add(
        "COMPOSE_CONFLICT",
        `services.${service} and services.${before.service} have one container_name: ${name}`,
        own.at,
        { other: before.at.at, hint: "Rename one of them." },
      );
    else taken.set(name, { service, at: own });
  }
}

interface Checked extends Model {
  readonly name: string;
  readonly service: MapNode;
  readonly problems: Problems;
}

type Check = (checked: Checked) => void;

const has = (node: Node | undefined, key: string): boolean =>
  child(node, key) !== undefined && !isNull(child(node, key));
const keysOf = (node: Node | undefined): string[] => [...entriesOf(node)].map(([key]) => key);

const image: Check = ({ name, service, problems }) => {
  if (has(service, "image") || has(service, "build") || has(service, "provider")) return;
  problems.add("COMPOSE_MISSING_KEY", `services.${name} has neither an image nor a build`, keyed(service), {
    hint: "Add `image: NAME` or `build: FOLDER`.",
  });
};

const buildSettings: Check = ({ name, service, services, problems }) => {
  const build = child(service, "build");
  if (!isMap(build)) return;
  const [file, inline] = [build.entries.get("dockerfile"), build.entries.get("dockerfile_inline")];
  if (file && inline)
    problems.add(
      "COMPOSE_CONFLICT",
      `services.${name}.build has both dockerfile and dockerfile_inline`,
      keyed(inline),
      { other: file.key, hint: "Keep one of them." },
    );
  for (const [key, context] of entriesOf(build.entries.get("additional_contexts"))) {
    const target = /^service:(.*)$/.exec(textOf(context) ?? "")?.[1];
    if (target === undefined) continue;
    const other = services.entries.get(target);
    if (!other)
      undefinedName(
        problems,
        `services.${name}.build.additional_contexts.${key}`,
        "service",
        target,
        context,
        keysOf(services),
      );
    else if (!has(other, "build"))
      problems.add(
        "COMPOSE_CONFLICT",
        `services.${name}.build.additional_contexts.${key}: the service ${target} is not built`,
        context.at,
        { hint: `Give ${target} a build, or name its image as docker-image://IMAGE.` },
      );
  }
  const platform = service.entries.get("platform");
  const platforms = itemsOf(build.entries.get("platforms")).map(textOf);
  if (platform && platforms.length > 0 && !platforms.includes(textOf(platform))) {
    problems.add(
      "COMPOSE_CONFLICT",
      `services.${name}.build.platforms does not have the service's platform ${textOf(platform)}`,
      build.entries.get("platforms")!.at,
      { other: platform.at },
    );
  }
};

const networks: Check = ({ name, service, model, problems }) => {
  const mode = service.entries.get("network_mode");
  const own = service.entries.get("networks");
  if (mode && isMap(own) && own.entries.size > 0)
    problems.add("COMPOSE_CONFLICT", `services.${name} has both network_mode and networks`, keyed(own), {
      other: keyed(mode),
      hint: "Keep one of them.",
    });
  references(
    service.entries.get("networks"),
    model.entries.get("networks"),
    problems,
    `services.${name}.networks`,
    "network",
  );
};

/** `v:/v` has the form of a Windows path, and docker compose takes it for one. */
function oneLetter(letter: string, volume: Node, where: string, model: MapNode, problems: Problems): void {
  const message = `${where}: "${letter}:" is read as the letter of a Windows drive`;
  const hint = "Give the volume a name of two letters or more, or use the long form.";
  if (child(model.entries.get("volumes"), letter))
    problems.add("COMPOSE_VALUE", message, volume.at, { hint });
  else problems.warn("ONE_LETTER_VOLUME", message, volume.at, hint);
}

/** Keys of a mapping that have to be declared at the top level. */
function references(
  used: Node | undefined,
  declared: Node | undefined,
  problems: Problems,
  where: string,
  noun: string,
): void {
  for (const [key, value] of entriesOf(used)) {
    if (!child(declared, key)) undefinedName(problems, where, noun, key, value, keysOf(declared));
  }
}

const mounts: Check = ({ name, service, model, problems }) => {
  itemsOf(service.entries.get("volumes")).forEach((volume, index) => {
    const source = child(volume, "source");
    const letter = /^([a-z]):\/(?!\/)/.exec(textOf(child(volume, "target")) ?? "")?.[1];
    if (letter && !source) oneLetter(letter, volume, `services.${name}.volumes.${index}`, model, problems);
    if (textOf(child(volume, "type")) !== "volume" || !source || !textOf(source)) return;
    if (!child(model.entries.get("volumes"), textOf(source)!))
      undefinedName(
        problems,
        `services.${name}.volumes.${index}`,
        "volume",
        textOf(source)!,
        source,
        keysOf(model.entries.get("volumes")),
      );
  });
  const taken = new Map<string, Node>();
  for (const mount of [
    ...itemsOf(service.entries.get("tmpfs")),
    ...itemsOf(service.entries.get("volumes")),
  ]) {
    const target = textOf(child(mount, "target")) ?? textOf(mount)?.split(":")[0];
    if (target === undefined) continue;
    const before = taken.get(target);
    if (before)
      problems.add("COMPOSE_CONFLICT", `services.${name}: two mounts share the target ${target}`, mount.at, {
        other: before.at,
        hint: "Keep one of them.",
      });
    taken.set(target, mount);
  }
};

const files: Check = ({ name, service, model, problems }) => {
  for (const [key, kind, noun] of [
    ["secrets", "secrets", "secret"],
    ["configs", "configs", "config"],
  ] as const)
    check(child(service, key), `services.${name}.${key}`, kind, noun);
  check(child(child(service, "build"), "secrets"), `services.${name}.build.secrets`, "secrets", "secret");
  references(
    service.entries.get("models"),
    model.entries.get("models"),
    problems,
    `services.${name}.models`,
    "model",
  );

  function check(list: Node | undefined, where: string, kind: string, noun: string): void {
    for (const item of itemsOf(list)) {
      const source = child(item, "source");
      const declared = model.entries.get(kind);
      if (source && !child(declared, textOf(source) ?? ""))
        undefinedName(problems, where, noun, textOf(source) ?? "", source, keysOf(declared));
    }
  }
};

const dependencies: Check = ({ name, service, services, disabled, problems }) => {
  for (const [key, dependency] of entriesOf(service.entries.get("depends_on"))) {
    if (services.entries.has(key)) continue;
    const required = child(dependency, "required");
    const off = disabled.entries.get(key);
    if (off && required?.kind === "scalar" && required.value === false) continue;
    if (off) {
      problems.add(
        "COMPOSE_PROFILE",
        `services.${name} depends on ${key}, which no active profile enables`,
        keyed(dependency),
        {
          hint: `Enable it with --profile ${profilesOf(off)[0]}, or say \`required: false\`.`,
        },
      );
    } else
      undefinedName(
        problems,
        `services.${name} depends on ${key}`,
        "service",
        key,
        dependency,
        keysOf(services),
      );
  }
};

function undefinedName(
  problems: Problems,
  where: string,
  noun: string,
  name: string,
  at: Node,
  known: readonly string[],
): void {
  const place = noun === "network" || noun === "service" || noun === "model" ? keyed(at) : at.at;
  const near = suggestion(name, known);
  const declare = noun === "service" ? undefined : `Declare it at the top level: \`${noun}s: { ${name}: }\`.`;
  problems.add("COMPOSE_UNDEFINED", `${where}: there is no ${noun} "${name}"`, place, {
    hint: near?.startsWith("Did") ? near : (declare ?? near),
  });
}

/** Two spellings of one limit have to agree. */
const twins: Check = ({ name, service, problems }) => {
  const limits = child(child(child(service, "deploy"), "resources"), "limits");
  const reservations = child(child(child(service, "deploy"), "resources"), "reservations");
  const pairs: readonly [string, Node | undefined, string][] = [
    ["scale", child(child(service, "deploy"), "replicas"), "deploy.replicas"],
    ["cpus", child(limits, "cpus"), "deploy.resources.limits.cpus"],
    ["mem_limit", child(limits, "memory"), "deploy.resources.limits.memory"],
    ["pids_limit", child(limits, "pids"), "deploy.resources.limits.pids"],
    ["mem_reservation", child(reservations, "memory"), "deploy.resources.reservations.memory"],
  ];
  for (const [key, other, path] of pairs) {
    const own = service.entries.get(key);
    if (
      own?.kind !== "scalar" ||
      other?.kind !== "scalar" ||
      formatScalar(own.value) === formatScalar(other.value)
    )
      continue;
    problems.add(
      "COMPOSE_CONFLICT",
      `services.${name}: ${key} is ${formatScalar(own.value)} and ${path} is ${formatScalar(other.value)}`,
      keyed(own),
      { other: keyed(other), hint: "Keep one of them, or make them equal." },
    );
  }
};

const containerName: Check = ({ name, service, problems }) => {
  const own = service.entries.get("container_name");
  const scale = child(child(service, "deploy"), "replicas") ?? service.entries.get("scale");
  if (!own || scale?.kind !== "scalar" || Number(scale.value) <= 1) return;
  problems.add(
    "COMPOSE_CONFLICT",
    `services.${name} has a container_name and ${scale.value} containers`,
    keyed(own),
    { other: keyed(scale), hint: "A name belongs to one container; take container_name away." },
  );
};

const watch: Check = ({ name, service, problems }) => {
  for (const rule of itemsOf(child(child(service, "develop"), "watch"))) {
    const action = textOf(child(rule, "action")) ?? "";
    if (action.startsWith("sync") && !textOf(child(rule, "target"))) {
      problems.add(
        "COMPOSE_MISSING_KEY",
        `services.${name}.develop.watch: ${action} needs a target`,
        rule.at,
        { hint: "Add `target: PATH`: where the files go in the container." },
      );
    }
  }
};

const CHECKS: readonly Check[] = [
  image,
  buildSettings,
  networks,
  mounts,
  files,
  dependencies,
  twins,
  containerName,
  watch,
];

/** Follows depends_on; the first way back to a service already on it is told as a path. */
function checkCycles(services: MapNode, problems: Problems): void {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): boolean => {
    const start = path.indexOf(name);
    if (start >= 0) {
      const circle = [...path.slice(start), name];
      const edge = child(child(services.entries.get(path.at(-1)!), "depends_on"), name)!;
      problems.add(
        "DEPENDENCY_CYCLE",
        `services depend on each other in a circle: ${circle.join(" → ")}`,
        keyed(edge),
        { hint: "One of them must start without the next." },
      );
      return true;
    }
    if (done.has(name)) return false;
    done.add(name);
    return [...entriesOf(child(services.entries.get(name), "depends_on"))].some(
      ([next]) => services.entries.has(next) && visit(next, [...path, name]),
    );
  };
  for (const name of services.entries.keys()) visit(name, []);
}
