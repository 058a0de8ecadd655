/** What concerns a project as a whole: things that nobody uses, or that two services want. */
import type { ModelRule, Say } from "../lint.ts";
import { child, entriesOf, isNull, itemsOf, keyed, type Node, textOf } from "../node.ts";
import { usedBy } from "../resources.ts";

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

/** Secrets and configs whose file is not there; only the start would find it out. */
const missingFile: ModelRule = ({ model, files, services }, say) => {
  const used = usedBy(services);
  for (const kind of ["secrets", "configs"] as const) {
    for (const [name, node] of entriesOf(model.entries.get(kind))) {
      const file = child(node, "file");
      const path = textOf(file);
      if (!file || isNull(file) || !used[kind].has(name) || !path?.startsWith("/") || files.kind(path))
        continue;
      say("NO_FILE", `${kind}.${name}: there is no ${path}`, file.at, "Create it, or correct the path.");
    }
  }
};

export const PROJECT_RULES: readonly ModelRule[] = [unused, portClash, external, missingFile];
