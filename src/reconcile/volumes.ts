import { AppError } from "../errors.ts";
import type { Project } from "../model/types.ts";
import { volumeDefinition } from "./definition.ts";
import { diff, printChange } from "./diff.ts";
import type { Observed } from "./observed.ts";

export interface VolumeState {
  readonly absent: readonly { readonly key: string; readonly name: string }[];
  readonly warnings: readonly string[];
}

/**
 * Compares the project's volumes with what is there. A volume is never replaced: its data would be gone.
 *
 * @throws {AppError} EXTERNAL_MISSING for an external volume that does not exist
 */
export function compareVolumes(project: Project, observed: Observed, used: ReadonlySet<string>): VolumeState {
  const absent: VolumeState["absent"][number][] = [];
  const warnings: string[] = [];
  for (const [key, volume] of Object.entries(project.volumes)) {
    if (!used.has(key)) continue;
    const found = observed.volumes.find(({ name }) => name === volume.name);
    if (volume.external) {
      if (found) continue;
      const at = project.positionOf(["volumes", key]);
      throw new AppError("EXTERNAL_MISSING", `external volume ${volume.name} does not exist`, {
        ...(at && { at }),
        hint: `Make it with \`slipway volume create ${volume.name}\`, or drop "external".`,
      });
    }
    if (!found) {
      absent.push({ key, name: volume.name });
    } else if (found.project !== project.name) {
      warnings.push(`volume ${volume.name} exists and was not made for this project; it is used as it is`);
    } else if (found.definition !== undefined) {
      const changes = diff(found.definition, volumeDefinition(volume));
      if (changes.length > 0) {
        warnings.push(
          `volume ${volume.name} keeps its old settings, so that its data stays (${changes.map(printChange).join(", ")})`,
        );
      }
    }
  }
  return { absent, warnings };
}
