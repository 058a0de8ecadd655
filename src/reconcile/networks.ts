import { AppError } from "../errors.ts";
import type { Project } from "../model/types.ts";
import { networkDefinition } from "./definition.ts";
import { diff, printChange } from "./diff.ts";
import type { Observed, ObservedNetwork } from "./observed.ts";
import type { Change } from "./operations.ts";

/** A network whose settings are no longer what they were: it can only be made anew, without containers on it. */
export interface ChangedNetwork {
  readonly key: string;
  readonly name: string;
  readonly changes: readonly Change[];
}

export interface NetworkState {
  readonly absent: readonly { readonly key: string; readonly name: string }[];
  readonly changed: readonly ChangedNetwork[];
  readonly orphans: readonly ObservedNetwork[]; // of the project, and no longer in the file
  readonly warnings: readonly string[];
}

/**
 * Compares the project's networks with what is there.
 *
 * @param used keys of the networks that the services at hand are connected to
 * @throws {AppError} EXTERNAL_MISSING for an external network that does not exist
 */
export function compareNetworks(
  project: Project,
  observed: Observed,
  used: ReadonlySet<string>,
): NetworkState {
  const absent: NetworkState["absent"][number][] = [];
  const changed: ChangedNetwork[] = [];
  const warnings: string[] = [];
  for (const [key, network] of Object.entries(project.networks)) {
    if (!used.has(key)) continue;
    const found = observed.networks.find(({ name }) => name === network.name);
    if (network.external) {
      if (found) continue;
      const at = project.positionOf(["networks", key]);
      throw new AppError("EXTERNAL_MISSING", `external network ${network.name} does not exist`, {
        ...(at && { at }),
        hint: `Make it with \`slipway network create ${network.name}\`, or drop "external".`,
      });
    }
    if (!found) {
      absent.push({ key, name: network.name });
    } else if (found.project !== project.name) {
      warnings.push(`network ${network.name} exists and was not made for this project; it is used as it is`);
    } else if (found.definition !== undefined) {
      const changes = diff(found.definition, networkDefinition(network));
      if (changes.length > 0) changed.push({ key, name: network.name, changes });
    }
  }
  const wanted = new Set(Object.values(project.networks).map(({ name }) => name));
  const orphans = observed.networks.filter(
    (network) => network.project === project.name && !wanted.has(network.name),
  );
  return { absent, changed, orphans, warnings };
}

export function whyChanged({ changes }: ChangedNetwork): string {
  return changes.map(printChange).join(", ");
}
