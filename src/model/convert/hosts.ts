/** Names of hosts and their addresses. */
import type { Transform } from "../canonical.ts";
import { isList, isMap, list, type Node, scalar } from "../node.ts";
import { formatScalar } from "../scalars.ts";
import { bare, fail, isText } from "./shared.ts";

export const extraHosts: Transform = (node, context) => {
  const hosts: Node[] = [];
  const add = (name: string, addresses: string, from: Node): void => {
    if (name === "" || name.includes(":"))
      throw fail(
        from,
        context,
        "COMPOSE_VALUE",
        name === "" ? "a host has no name" : `"${name}" is no name of a host`,
        "Write it as NAME=ADDRESS.",
      );
    for (const address of addresses.split(","))
      hosts.push(scalar(`${name}=${unbracketed(address)}`, bare(from)));
  };
  if (isMap(node)) {
    for (const [name, value] of node.entries) {
      for (const item of isList(value) ? value.items : [value])
        add(name, formatScalar(item.kind === "scalar" ? item.value : null), item);
    }
  } else if (isList(node)) {
    for (const item of node.items) {
      if (!isText(item)) continue;
      const at = item.value.search(item.value.includes("=") ? /=/ : /:/);
      if (at < 0)
        throw fail(
          item,
          context,
          "COMPOSE_VALUE",
          `"${item.value}" has no address`,
          "Write it as NAME=ADDRESS.",
        );
      add(item.value.slice(0, at), item.value.slice(at + 1), item);
    }
  } else return node;
  return list(hosts, node);
};

const unbracketed = (address: string): string => (/^\[.*\]$/.test(address) ? address.slice(1, -1) : address);
