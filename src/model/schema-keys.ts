/** Looks into the schema itself, which is read only when a message or an editor needs it. */
import { text } from "../../dist/compose-schema.cjs";
import { child, type Node } from "./node.ts";

export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly deprecated?: boolean;
}

export const readSchema = (): Schema => JSON.parse(text) as Schema;

/**
 * The schema of the value at a path.
 *
 * @param document decides between a mapping and a list where both may stand; without it, all alternatives count
 * @returns the alternatives that are left; none where anything goes
 */
export function schemasAt(path: readonly string[], document?: Node): readonly Schema[] {
  const root = readSchema();
  const expand = (schema: Schema): Schema[] => {
    if (schema.$ref !== undefined) {
      const { $ref, ...own } = schema;
      return expand({ ...root.$defs![$ref.slice("#/$defs/".length)]!, ...own });
    }
    return schema.anyOf ? [{ ...schema, anyOf: [] }, ...schema.anyOf.flatMap(expand)] : [schema];
  };
  let current = expand(root);
  let node = document;
  for (const key of path) {
    // Without a document, a number is an item's index where there can be items.
    if (!node && /^\d+$/.test(key) && current.some(({ items }) => items))
      current = current.filter(({ items }) => items);
    current = current.flatMap((schema) => below(schema, key, node)).flatMap(expand);
    node = node?.kind === "list" ? node.items[Number(key)] : child(node, key);
  }
  return current;
}

function below(schema: Schema, key: string, node: Node | undefined): Schema[] {
  if (schema.items && (node ? node.kind === "list" : /^\d+$/.test(key))) return [schema.items];
  if (node?.kind === "list") return [];
  const named = schema.properties?.[key];
  if (named) return [named];
  return Object.entries(schema.patternProperties ?? {}).flatMap(([pattern, value]) =>
    new RegExp(pattern).test(key) ? [value] : [],
  );
}

/** The keys that a mapping at a path may have; none where its keys are the user's own names. */
export function knownKeys(path: readonly string[], document?: Node): string[] {
  return [...new Set(schemasAt(path, document).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}
