import type { EngineClient } from "../../client/client.ts";

export interface TreeLine {
  /** With the branches before it. */
  readonly name: string;
  readonly id: string;
  readonly size: number; // bytes
  /** Bytes of the layers that the image above does not have. */
  readonly adds: number;
}

interface Node {
  readonly name: string;
  readonly id: string;
  readonly size: number;
  readonly layers: readonly string[];
  readonly children: Node[];
}

/** Images below those whose layers they build on. */
export async function imageTree(engine: EngineClient): Promise<TreeLine[]> {
  const images = await engine.listImages();
  const nodes = await Promise.all(
    images.map(async ({ Id, RepoTags, Size }): Promise<Node> => {
      const { RootFS } = await engine.inspectImage(Id);
      const id = Id.slice("sha256:".length, 19);
      const name = RepoTags?.length ? RepoTags.join(", ") : "<none>";
      return { name, id, size: Size, layers: RootFS.Layers ?? [], children: [] };
    }),
  );
  // A base has fewer layers, so it comes before what stands on it; of equal ones the first holds the others.
  nodes.sort((a, b) => a.layers.length - b.layers.length || (a.name < b.name ? -1 : 1));
  const roots: Node[] = [];
  for (const [at, node] of nodes.entries()) {
    const base = nodes.slice(0, at).findLast((other) => isBase(other, node));
    (base?.children ?? roots).push(node);
  }
  return roots.flatMap((root) => linesOf(root, { base: 0, first: "", rest: "" }));
}

function isBase(base: Node, { layers }: Node): boolean {
  return base.layers.length > 0 && base.layers.every((layer, at) => layer === layers[at]);
}

function linesOf(
  { name, id, size, children }: Node,
  above: { readonly base: number; readonly first: string; readonly rest: string },
): TreeLine[] {
  return [
    { name: above.first + name, id, size, adds: size - above.base },
    ...children.flatMap((child, at) => {
      const isLast = at === children.length - 1;
      const [first, rest] = isLast ? ["└─ ", "   "] : ["├─ ", "│  "];
      return linesOf(child, { base: size, first: above.rest + first, rest: above.rest + rest });
    }),
  ];
}
