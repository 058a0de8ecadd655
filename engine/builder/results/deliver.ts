/** Takes a build's result to where it was asked for: the store, files, archives, registries. */
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EngineError } from "../../errors.ts";
import type { Images } from "../../images/images.ts";
import type { Lease } from "../../images/leases.ts";
import { full, parseReference, withDefaultTag } from "../../images/reference.ts";
import { putManifest } from "../../images/registry/push.ts";
import { RegistrySession } from "../../images/registry/session.ts";
import { upload } from "../../images/registry/upload.ts";
import type { Image } from "../../images/types.ts";
import type { TreeRoot } from "../../native/trees.ts";
import type { Workers } from "../../native/workers.ts";
import { INLINE, writeInline } from "../caches/form.ts";
import { Layout } from "../caches/layout.ts";
import type { Solved } from "../solve.ts";
import { type BundleManifest, bundleImage, bundleStatements } from "./bundle.ts";
import { finishImage } from "./image.ts";
import { isPushed, type Output } from "./outputs.ts";
import { rewriteLayer } from "./rewrite.ts";
import { SBOM, sbom } from "./sbom.ts";
import { type BuildFacts, PROVENANCE, provenance, type Statement, statement } from "./statements.ts";

export interface DeliverDeps {
  readonly images: Images;
  readonly workers: Workers;
  readonly lease: Lease;
  scratch(): Promise<string>;
  status(text: string): void;
}

/** What became of it. */
export interface Delivered {
  readonly imageId: string; // "" where no output is an image
  /** Of the manifest or index that was written or pushed. */
  readonly digest: string | undefined;
}

export class Delivery {
  readonly #facts: Omit<BuildFacts, "finished" | "invocation">;
  readonly #deps: DeliverDeps;
  readonly #invocation = randomUUID();
  #digest: string | undefined;

  constructor(facts: Omit<BuildFacts, "finished" | "invocation">, deps: DeliverDeps) {
    this.#facts = facts;
    this.#deps = deps;
  }

  async run(result: Solved): Promise<Delivered> {
    const { images } = this.#deps;
    const { request, plan } = this.#facts;
    const { tags = [] } = request;
    const outputs: readonly Output[] =
      request.outputs === undefined || request.outputs.length === 0 ? [{ type: "image" }] : request.outputs;
    const layers = await this.#layers(result, outputs);
    const tree = await this.#tree(layers.map((diffId) => images.layerDir(diffId)).reverse());
    const isFiles = ({ type }: Output): boolean => type === "local" || type === "tar";
    for (const output of outputs.filter(isFiles)) await this.#writeFiles(output, tree);
    if (outputs.every(isFiles)) return { imageId: "", digest: undefined };
    const own = result.records.filter(({ diffId }) => layers.includes(diffId));
    const inline = isInline(request) ? { [INLINE]: writeInline(own, layers) } : {};
    const image = await images.createImage({ ...finishImage(plan, result.created), ...inline }, layers, {
      tags,
    });
    this.#deps.lease.hold(image.id);
    for (const output of outputs) {
      if (output.type === "docker")
        await writeFile(output.dest!, images.save(tags.length > 0 ? tags : [image.id]));
      else if (output.type === "oci") await this.#writeLayout(output, image, tree);
      else if (isPushed(output)) for (const tag of tags) await this.#push(tag, image, tree);
    }
    return { imageId: image.id, digest: this.#digest };
  }

  /** Bottom first; those of the base image stay as they are. */
  async #layers({ layers, created }: Solved, outputs: readonly Output[]): Promise<string[]> {
    const diffIds = layers.map(({ diffId }) => diffId);
    if (!outputs.some(({ rewriteTimestamp }) => rewriteTimestamp)) return diffIds;
    const { epoch } = this.#facts.plan;
    if (epoch === undefined)
      throw new EngineError("invalid", "rewrite-timestamp needs a time: give the build SOURCE_DATE_EPOCH");
    const base = diffIds.length - created.length;
    return Promise.all(
      diffIds.map((diffId, at) => (at < base ? diffId : rewriteLayer(diffId, epoch, this.#deps))),
    );
  }

  /** @param lowers top first */
  async #tree(lowers: readonly string[]): Promise<TreeRoot> {
    if (lowers.length > 1) return { kind: "overlay", lowers };
    return { kind: "dir", path: lowers[0] ?? (await this.#deps.scratch()) };
  }

  async #writeFiles({ type, dest = "" }: Output, tree: TreeRoot): Promise<void> {
    const { workers } = this.#deps;
    const { epoch } = this.#facts.plan;
    if (type === "tar")
      return writeFile(dest, workers.tar(tree, epoch === undefined ? {} : { mtime: epoch }));
    await mkdir(dest, { recursive: true });
    const items = [{ source: "", target: "", contents: true }];
    await workers.copy(tree, { kind: "dir", path: dest }, { items, mtime: epoch ?? "keep" });
  }

  async #writeLayout({ dest = "", tar = true }: Output, image: Image, tree: TreeRoot): Promise<void> {
    const { images, workers } = this.#deps;
    const { tags = [], signal } = this.#facts.request;
    const directory = tar ? await this.#deps.scratch() : dest;
    if (!tar) await mkdir(dest, { recursive: true });
    const layout = new Layout(directory);
    const { manifest, blobs } = await bundleImage(image, images, signal);
    for (const { digest, open } of blobs) await layout.add(digest, () => open());
    const statements = await this.#statements(manifest.digest, image, tree);
    let top = manifest;
    if (statements.length > 0) {
      const said = bundleStatements(statements, manifest, image.config);
      for (const { digest, open } of said.blobs) await layout.add(digest, () => open());
      for (const { digest, bytes } of [manifest, said.attestation]) await layout.add(digest, () => [bytes]);
      top = said.index;
    }
    await layout.name(
      top.bytes,
      top.mediaType,
      tags.map((tag) => full(withDefaultTag(parseReference(tag)))),
    );
    this.#digest = top.digest;
    // When the archive was written says nothing.
    if (tar) await writeFile(dest, workers.tar({ kind: "dir", path: directory }, { mtime: 0 }));
  }

  async #push(tag: string, image: Image, tree: TreeRoot): Promise<void> {
    const { images, status } = this.#deps;
    const { auth, signal } = this.#facts.request;
    const reference = withDefaultTag(parseReference(tag));
    const credentials = await auth?.(reference.domain);
    const options = { ...(signal && { signal }), ...(credentials && { auth: credentials }) };
    status(`pushing ${tag}`);
    let pushed: { readonly Digest: string; readonly Size: number } | undefined;
    await images.push(full(reference), options, ({ aux }) => {
      if (aux !== undefined && "Digest" in aux) pushed = aux as unknown as typeof pushed;
    });
    if (pushed === undefined) return;
    this.#digest = pushed.Digest;
    const statements = await this.#statements(pushed.Digest, image, tree);
    if (statements.length === 0) return;
    const session = new RegistrySession(images.transport, reference, options);
    const { parsed } = await session.manifest(pushed.Digest);
    const manifest = { mediaType: parsed.mediaType, digest: pushed.Digest, size: pushed.Size };
    const said = bundleStatements(statements, manifest, image.config);
    for (const blob of said.blobs)
      await upload(session, { ...blob, open: (start, end) => blob.open(start, end) });
    const put = ({ bytes, mediaType }: BundleManifest, name: string) =>
      putManifest(session, name, bytes, mediaType);
    await put(said.attestation, said.attestation.digest);
    await put(said.index, reference.tag ?? "latest");
    this.#digest = said.index.digest;
  }

  async #statements(manifest: string, image: Image, tree: TreeRoot): Promise<Statement[]> {
    const { attest = {}, tags = [] } = this.#facts.request;
    const statements: Statement[] = [];
    const add = (type: string, predicate: object) =>
      statements.push(statement(type, predicate, manifest, tags, image.config));
    if (attest.sbom === true) add(SBOM, await sbom(tree, this.#deps.workers, tags[0] ?? image.id));
    if (attest.provenance !== undefined) {
      const facts = { ...this.#facts, finished: new Date(), invocation: this.#invocation };
      add(PROVENANCE, provenance(attest.provenance, facts));
    }
    return statements;
  }
}

/** Asked for as a cache, or as `docker build` asks for it. */
function isInline({ cacheTo = [], args = {} }: BuildFacts["request"]): boolean {
  return (
    cacheTo.some(({ type }) => type === "inline") || /^(1|true)$/.test(args["BUILDKIT_INLINE_CACHE"] ?? "")
  );
}

async function writeFile(path: string, content: Readable): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await pipeline(content, createWriteStream(path));
}
