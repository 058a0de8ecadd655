/** Where a build's result goes. */
import { isAbsolute } from "node:path";
import { EngineError } from "../../errors.ts";

export interface Output {
  /**
   * `image`: the image store, the default · `registry`: that, and pushed · `local`: the root file system as files, `tar`
   * as one archive · `docker`: an archive that `docker load` takes · `oci`: an OCI image layout
   */
  readonly type: "image" | "registry" | "local" | "tar" | "oci" | "docker";
  /** Absolute: of all but the first two. */
  readonly dest?: string | undefined;
  /** Of `image`: push its names. */
  readonly push?: boolean | undefined;
  /** Of `oci`: `false` leaves the layout a directory. */
  readonly tar?: boolean | undefined;
  /** Files of the build's own layers get no later time than SOURCE_DATE_EPOCH. */
  readonly rewriteTimestamp?: boolean | undefined;
}

/** Statements about the image that travel with it. */
export interface Attest {
  readonly provenance?: "min" | "max" | undefined;
  /** What packages are in it. */
  readonly sbom?: boolean | undefined;
}

const TYPES: readonly string[] = ["image", "registry", "local", "tar", "oci", "docker"];

/** @throws {EngineError} invalid for a kind that is not known, a place that is none, or what cannot be together */
export function checkOutputs(
  outputs: readonly Output[],
  {
    tags = [],
    attest = {},
  }: { readonly tags?: readonly string[] | undefined; readonly attest?: Attest | undefined },
): void {
  const refuse = (text: string): never => {
    throw new EngineError("invalid", text);
  };
  for (const { type, dest } of outputs) {
    if (!TYPES.includes(type)) refuse(`the output type "${type}" is not supported: ${TYPES.join(", ")}`);
    const isPlaced = type !== "image" && type !== "registry";
    if (isPlaced && !(typeof dest === "string" && isAbsolute(dest)))
      refuse(`the output type ${type} needs dest, an absolute path`);
  }
  if (outputs.some(isPushed) && tags.length === 0) refuse("an image that is to be pushed needs a name");
  const isAsked = attest.provenance !== undefined || attest.sbom === true;
  if (isAsked && !outputs.some((output) => output.type === "oci" || isPushed(output)))
    refuse("attestations travel with an image that is pushed or written as type=oci, nowhere else");
}

export function isPushed({ type, push }: Output): boolean {
  return type === "registry" || (type === "image" && push === true);
}
