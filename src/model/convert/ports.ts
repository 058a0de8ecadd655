/** Ports. */
import type { Transform } from "../canonical.ts";
import { isMap, type MapNode, withEntry } from "../node.ts";
import { PortError, parsePort } from "../ports.ts";
import { formatScalar } from "../scalars.ts";
import { asText, fail, record } from "./shared.ts";

export const port: Transform = (node, context) => {
  if (isMap(node)) return longPort(node);
  const written = node.kind === "scalar" ? formatScalar(node.value) : "";
  try {
    return parsePort(written).map(({ host_ip, published, target, protocol }) =>
      record({ mode: "ingress", host_ip, target, published, protocol }, node),
    );
  } catch (error) {
    if (error instanceof PortError)
      throw fail(
        node,
        context,
        "COMPOSE_VALUE",
        error.message,
        'Write it as "[[ADDRESS:]PUBLISHED:]TARGET[/PROTOCOL]", in quotes.',
      );
    throw error;
  }
};

function longPort(node: MapNode): MapNode {
  const published = node.entries.get("published");
  return published ? withEntry(node, "published", asText(published)) : node;
}
