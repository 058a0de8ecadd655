import { dirname, relative } from "node:path";
import { printProvenance } from "../model/provenance.ts";
import { schemasAt } from "../model/schema-keys.ts";
import type { Project } from "../model/types.ts";
import { cursorAt, offsetOf } from "./cursor.ts";
import type { Documents } from "./documents.ts";
import type { Hover, Position } from "./protocol.ts";

/** What a key is for, and where its value comes from. */
export async function hover(
  documents: Documents,
  path: string,
  position: Position,
  project: () => Promise<Project | undefined>,
): Promise<Hover | undefined> {
  const tree = documents.tree(path);
  const cursor = tree && cursorAt(tree, offsetOf(documents.text(path), position));
  if (!cursor || cursor.path.length === 0) return undefined;
  const description = schemasAt(cursor.path, tree).find(
    (schema) => schema.description !== undefined,
  )?.description;
  const told = (await project())?.provenanceOf(cursor.path);
  const shorten = (file: string): string => relative(dirname(path), file) || file;
  const story = told ? printProvenance(told, shorten).slice(0, 20) : [];
  const parts = [description, story.length > 0 ? ["```", ...story, "```"].join("\n") : undefined].filter(
    (part) => part !== undefined,
  );
  return parts.length > 0 ? { contents: { kind: "markdown", value: parts.join("\n\n") } } : undefined;
}
