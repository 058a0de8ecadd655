import { EngineError } from "../errors.ts";
import type { Filters } from "../filters.ts";
import { PREDEFINED } from "./create.ts";
import type { NetworkRecord } from "./types.ts";

/**
 * A network by name, by id, or by the beginning of an id; names go first, as Docker has it.
 *
 * @throws {EngineError} invalid, if the beginning fits several
 */
export function resolveNetwork(
  networks: readonly NetworkRecord[],
  reference: string,
): NetworkRecord | undefined {
  const exact =
    networks.find(({ Id }) => Id === reference) ?? networks.find(({ Name }) => Name === reference);
  if (exact !== undefined || reference === "") return exact;
  const beginning = networks.filter(({ Id }) => Id.startsWith(reference));
  if (beginning.length > 1) {
    throw new EngineError(
      "invalid",
      `network ${reference} is ambiguous (${beginning.length} matches found on ID prefix)`,
    );
  }
  return beginning[0];
}

/**
 * The networks that the filters of a list or a prune let through.
 *
 * @throws {EngineError} invalid, for a value that cannot be read
 */
export function selectNetworks(
  networks: readonly NetworkRecord[],
  filters: Filters,
  inUse: (network: NetworkRecord) => boolean,
): NetworkRecord[] {
  const dangling = filters.bool("dangling");
  const until = filters.has("until") ? Math.min(...filters.values("until").map(readTime)) : undefined;
  const predefined = ({ Name }: NetworkRecord): boolean => PREDEFINED.some(({ name }) => name === Name);
  const types = filters.values("type");
  for (const type of types) {
    if (type !== "builtin" && type !== "custom") {
      throw new EngineError("invalid", `invalid filter: 'type'='${type}'`);
    }
  }
  return networks.filter(
    (network) =>
      filters.match("name", network.Name) &&
      filters.exact("driver", network.Driver) &&
      filters.exact("scope", "local") &&
      (!filters.has("id") || filters.values("id").some((id) => network.Id.startsWith(id))) &&
      filters.labels(network.Labels) &&
      (types.length === 0 || types.includes(predefined(network) ? "builtin" : "custom")) &&
      (dangling === undefined || dangling === (!predefined(network) && !inUse(network))) &&
      (until === undefined || Date.parse(network.Created) <= until),
  );
}

/** A time of a filter: seconds since 1970, RFC 3339, or a duration before now such as `1h30m`. In milliseconds. */
function readTime(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^(\d+(\.\d+)?(h|m|s|ms))+$/.test(text)) {
    const units = { h: 3600e3, m: 60e3, s: 1e3, ms: 1 };
    const parts = [...text.matchAll(/([\d.]+)(ms|h|m|s)/g)];
    return parts.reduce(
      (at, [, number, unit]) => at - Number(number) * units[unit as keyof typeof units],
      Date.now(),
    );
  }
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new EngineError("invalid", `failed to parse value as time or duration: ${JSON.stringify(text)}`);
  return time;
}
