import { dirname, join } from "node:path";
import { child, type Node, textOf } from "../model/node.ts";
import { type Schema, schemasAt } from "../model/schema-keys.ts";
import type { Project } from "../model/types.ts";
import { typingAt } from "./cursor.ts";
import type { Documents } from "./documents.ts";
import { declaredNames, referredSection, type Section } from "./names.ts";
import type { CompletionItem, Position } from "./protocol.ts";

/** What can be written at a place: keys of the schema, values, names that are declared. */
export async function complete(
  documents: Documents,
  path: string,
  position: Position,
  project: () => Promise<Project | undefined>,
): Promise<CompletionItem[]> {
  const typing = typingAt(documents.text(path), position);
  const tree = documents.tree(path);
  const section = referredSection(typing.path) ?? referredSection([...typing.path, ""]);
  const references = section
    ? (await namesOf(section))
        .filter((name) => name !== typing.path[1] || section !== "services")
        .map(reference)
    : [];
  async function namesOf(section: Section): Promise<string[]> {
    const base = baseFile(tree, typing.path);
    if (base !== undefined) return declaredNames(documents.tree(join(dirname(path), base)), section);
    const loaded = await project();
    const known = loaded
      ? Object.keys({ ...loaded[section], ...(section === "services" && loaded.disabledServices) })
      : [];
    return [...new Set([...declaredNames(tree, section), ...known])];
  }
  const schemas = schemasAt(typing.path);
  const keys = typing.key ? schemas.flatMap((schema) => keysOf(schema, typing.present)) : [];
  const values = typing.key ? [] : schemas.flatMap(valuesOf);
  return unique([...references, ...keys, ...values]);
}

/** The other file whose services `extends` may name. */
function baseFile(tree: Node | undefined, path: readonly string[]): string | undefined {
  const [, service = "", attribute] = path;
  if (attribute !== "extends") return undefined;
  return textOf(child(child(child(child(tree, "services"), service), "extends"), "file"));
}

const reference = (label: string): CompletionItem => ({ label, kind: 18 });

function keysOf(schema: Schema, present: readonly string[]): CompletionItem[] {
  return Object.entries(schema.properties ?? {})
    .filter(([key, { deprecated }]) => !present.includes(key) && !deprecated)
    .map(([key, value]) => ({
      label: key,
      kind: 10,
      insertText: `${key}: `,
      ...(value.description !== undefined && { documentation: value.description }),
    }));
}

function valuesOf(schema: Schema): CompletionItem[] {
  const types = [schema.type ?? []].flat();
  const words = schema.enum ?? (types.includes("boolean") ? ["true", "false"] : []);
  return words.map((label) => ({ label: String(label), kind: 12 }));
}

function unique(items: readonly CompletionItem[]): CompletionItem[] {
  return [...new Map(items.map((item) => [item.label, item])).values()];
}
