import { dirname, relative } from "node:path";
import { printProvenance } from "../model/provenance.ts";
import { schemasAt } from "../model/schema-keys.ts";
import type { Project, Provenance } from "../model/types.ts";
import { cursorAt, offsetOf } from "./cursor.ts";
import type { Documents } from "./documents.ts";
import type { Hover, Position } from "./protocol.ts";

/** Values of the project that came from a line of a file that is only a part of it, or lost to others. */
function elsewhere(
  project: Project,
  { path, line }: { readonly path: string; readonly line: number },
): Provenance[] {
  const found: Provenance[] = [];
  const walk = (each: Provenance): void => {
    const places = [each.at, ...each.replaced.map(({ at }) => at)];
    if (each.children.length === 0 && places.some((at) => at?.file === path && at.line === line))
      found.push(each);
    each.children.forEach(walk);
  };
  const root = project.provenanceOf(["services"]);
  if (root) walk(root);
  return found;
}

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
  const loaded = await project();
  const at = { path, line: position.line + 1 };
  const told = [loaded?.provenanceOf(cursor.path) ?? (loaded && elsewhere(loaded, at))].flat();
  const shorten = (file: string): string => relative(dirname(path), file) || file;
  const story = told.flatMap((each) => (each ? printProvenance(each, shorten) : [])).slice(0, 20);
  const parts = [description, story.length > 0 ? ["```", ...story, "```"].join("\n") : undefined].filter(
    (part) => part !== undefined,
  );
  return parts.length > 0 ? { contents: { kind: "markdown", value: parts.join("\n\n") } } : undefined;
}
