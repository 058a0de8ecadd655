import { AppError, type FailureCode } from "../../errors.ts";
import { EngineFailure } from "../failures.ts";
import { followProgress } from "../progress.ts";
import { type Call, segment, type Transport } from "../transport.ts";
import type { ImageCalls, PullOptions } from "../types/images.ts";
import type { RegistryLogin } from "../types/system.ts";

export function imageCalls(engine: Transport): ImageCalls {
  const at = (name: string, what = ""): string => `/images/${segment(name)}${what}`;
  /** A call whose answer is a stream of progress; a refusal before it begins gets the same code as one within. */
  const follow = async (
    path: string,
    call: Call,
    code: FailureCode,
    options: PullOptions = {},
  ): Promise<void> => {
    try {
      const response = await engine.open("POST", path, { ...call, signal: options.signal });
      await followProgress(response, code, options.onProgress);
    } catch (error) {
      throw recoded(error, code);
    }
  };
  /** A call to our own engine that tells at its end which image it made, and whether it was there before. */
  const make = async (
    path: string,
    json: object,
    { signal, onProgress }: Pick<PullOptions, "signal" | "onProgress">,
  ): Promise<{ imageId: string; fresh: boolean }> => {
    let imageId = "";
    let fresh = true;
    await follow(`/slipway/v1/${path}`, { json }, "IMAGE_PULL", {
      ...(signal && { signal }),
      onProgress(message) {
        if (typeof message.aux?.["ID"] === "string") imageId = message.aux["ID"];
        if (message.aux?.["Fresh"] === false) fresh = false;
        onProgress?.(message);
      },
    });
    return { imageId, fresh };
  };
  return {
    listImages: ({ all, filters } = {}) => engine.json("GET", "/images/json", { query: { all }, filters }),
    inspectImage: (name) => engine.json("GET", at(name, "/json")),
    imageHistory: (name) => engine.json("GET", at(name, "/history")),
    pullImage(reference, options = {}) {
      const { name, tag } = options.allTags ? untagged(reference) : splitReference(reference);
      const query = { fromImage: name, tag, platform: options.platform };
      return follow("/images/create", { query, headers: loginHeader(options.login) }, "IMAGE_PULL", options);
    },
    pushImage(reference, options = {}) {
      const { name, tag } = options.allTags ? untagged(reference) : splitReference(reference);
      const call = { query: { tag }, headers: loginHeader(options.login ?? {}) };
      return follow(at(name, "/push"), call, "IMAGE_PULL", options);
    },
    tagImage(name, reference) {
      const { name: repo, tag } = splitReference(reference);
      return engine.done("POST", at(name, "/tag"), { query: { repo, tag } });
    },
    removeImage: (name, { force, noprune } = {}) =>
      engine.json("DELETE", at(name), { query: { force, noprune } }),
    pruneImages: (filters) => engine.json("POST", "/images/prune", { filters }),
    importImage(body, { reference, message, changes }) {
      const { name: repo, tag } = reference === undefined ? {} : splitReference(reference);
      const query = { fromSrc: "-", repo, tag, message, changes };
      return follow("/images/create", { query, body, contentType: "application/x-tar" }, "ENGINE_FAILED");
    },
    loadImages: (body, onProgress) =>
      follow("/images/load", { body, contentType: "application/x-tar" }, "ENGINE_FAILED", {
        ...(onProgress && { onProgress }),
      }),
    saveImages: (names) => engine.open("GET", "/images/get", { query: { names } }),
    async describeRemote(reference, login) {
      try {
        const path = `/distribution/${segment(reference)}/json`;
        return await engine.json("GET", path, { headers: loginHeader(login) });
      } catch (error) {
        throw recoded(error, "IMAGE_PULL");
      }
    },
    searchImages: (term, limit) => engine.json("GET", "/images/search", { query: { term, limit } }),
    async serveRegistry({ signal, onProgress, ...options }) {
      const more = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
      try {
        await follow("/slipway/v1/registry", { json: options }, "ENGINE_FAILED", more);
      } catch (error) {
        if (signal?.aborted !== true) throw error;
      }
    },
    takeImage: (reference, source, options = {}) => make("images/take", { reference, source }, options),
    bootstrapImage(reference, { include, variant, suite, ...options } = {}) {
      return make("bootstrap", { reference, include, variant, suite }, options);
    },
  };
}

/** @throws {AppError} USAGE for a name with a tag or a digest */
function untagged(reference: string): { readonly name: string; readonly tag: undefined } {
  if (/[@:]/.test(reference.slice(reference.lastIndexOf("/") + 1)))
    throw new AppError("USAGE", `tag can't be used with --all-tags/-a: ${reference}`);
  return { name: reference, tag: undefined };
}

/** Parts the tag or digest off: only after the last slash is a colon not a port's. Without either it is `latest`. */
export function splitReference(reference: string): { readonly name: string; readonly tag: string } {
  const digest = reference.indexOf("@");
  if (digest > 0) return { name: reference.slice(0, digest), tag: reference.slice(digest + 1) };
  const colon = reference.indexOf(":", reference.lastIndexOf("/") + 1);
  return colon < 0
    ? { name: reference, tag: "latest" }
    : { name: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

/** @see Docker's X-Registry-Auth: URL-safe base64 of the login as JSON */
function loginHeader(login: RegistryLogin | undefined): Record<string, string> {
  if (login === undefined) return {};
  return { "X-Registry-Auth": Buffer.from(JSON.stringify(login)).toString("base64url") };
}

function recoded(error: unknown, code: FailureCode): unknown {
  if (!(error instanceof EngineFailure) || error.code === "PORT_TAKEN") return error;
  const { status, message, cause } = error;
  return error instanceof AppError ? new EngineFailure(status, code, message, { cause }) : error;
}
