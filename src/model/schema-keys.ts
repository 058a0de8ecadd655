/** Looks into the schema itself, which is read only when a message or an editor needs it. */
import { text } from "../../dist/compose-schema.cjs";

export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
}

export const readSchema = (): Schema => JSON.parse(text) as Schema;

/**
 * The keys that a mapping may have.
 *
 * @param schemaPath where the schema failed, such as `#/$defs/service/additionalProperties`
 * @returns nothing for a mapping whose keys are the user's own names
 */
export function knownKeys(schemaPath: string): string[] {
  let schema: unknown = readSchema();
  for (const key of schemaPath.split("/").slice(1, -1))
    schema = (schema as Record<string, unknown>)?.[
      decodeURIComponent(key.replaceAll("~1", "/").replaceAll("~0", "~"))
    ];
  return Object.keys((schema as Schema | undefined)?.properties ?? {});
}
