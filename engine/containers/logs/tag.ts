import { EngineError } from "../../errors.ts";
import type { ContainerRecord } from "../types.ts";

/** What a tag's template may name. @see moby, daemon/logger/loginfo.go */
const FIELDS: Readonly<Record<string, (record: ContainerRecord) => string>> = {
  ID: ({ id }) => id.slice(0, 12),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  ImageID: ({ imageId }) => imageId.slice("sha256:".length, "sha256:".length + 12),
  ImageFullID: ({ imageId }) => imageId,
  ImageName: ({ config }) => config.Image ?? "",
  DaemonName: () => "docker",
};

/**
 * Fills in the template of `--log-opt tag`, such as `{{.ImageName}}/{{.Name}}`.
 *
 * @throws {EngineError} invalid for a template with anything but the names of fields
 */
export function logTag(template: string, record: ContainerRecord): string {
  const text = template.replace(/\{\{\s*\.(\w+)\s*\}\}/g, (whole, name: string) => {
    return FIELDS[name]?.(record) ?? whole;
  });
  if (text.includes("{{")) throw new EngineError("invalid", `invalid log tag template: ${template}`);
  return text;
}
