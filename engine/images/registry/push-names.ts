import { EngineError } from "../../errors.ts";
import { familiarName, full, type Reference } from "../reference.ts";
import type { ImageStore } from "../store.ts";
import type { Image } from "../types.ts";
import { localTags } from "./push.ts";

/** What a push of a name sends: the image, or without a tag all of the repository. @throws {EngineError} notFound */
export function imagesToPush(
  store: ImageStore,
  asked: Reference,
): readonly { readonly reference: Reference; readonly image: Image }[] {
  const names = asked.tag === undefined ? localTags(store, asked) : [asked];
  const images = names.flatMap((reference) => {
    const image = store.resolve(full(reference));
    return image === undefined ? [] : [{ reference, image }];
  });
  if (images.length > 0 && images.length === names.length) return images;
  throw new EngineError("notFound", `An image does not exist locally with the tag: ${familiarName(asked)}`);
}
