import { EngineError } from "../errors.ts";
import type { Filters } from "../filters.ts";
import type { Images } from "./images.ts";
import { parseReference } from "./reference.ts";
import type { Image } from "./types.ts";

/**
 * The images a listing's filters choose, newest first, with only the names that match.
 *
 * @throws {EngineError} invalid for an unknown filter or a bad value
 */
export function selectImages(images: Images, filters: Filters): Image[] {
  filters.accept("dangling", "label", "label!", "before", "since", "reference", "until");
  const dangling = filters.bool("dangling");
  const before = filters.values("before").map((name) => created(images.get(name)));
  const since = filters.values("since").map((name) => created(images.get(name)));
  const until = filters.values("until").map(parseUntil);
  const patterns = filters.values("reference").map(namePattern);
  return images
    .list()
    .filter((image) => before.every((time) => created(image) < time))
    .filter((image) => since.every((time) => created(image) > time))
    .filter((image) => until.every((time) => created(image) < time))
    .filter((image) => filters.labels(image.config.config?.Labels))
    .filter((image) => dangling === undefined || isDangling(image) === dangling)
    .map((image) => withMatchingNames(image, patterns))
    .filter((image) => patterns.length === 0 || image.repoTags.length + image.repoDigests.length > 0)
    .sort((a, b) => created(b) - created(a));
}

/** Without a name; nothing can be said about it but its id. */
export function isDangling(image: Image): boolean {
  return image.repoTags.length === 0;
}

export function created(image: Image): number {
  return Date.parse(image.created) || 0;
}

/**
 * A moment in the past: RFC 3339, seconds since the epoch, or a duration such as `24h` before now.
 *
 * @returns milliseconds since the epoch @throws {EngineError} invalid
 */
export function parseUntil(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const duration = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text);
  if (text !== "" && duration !== null) {
    const [hours = 0, minutes = 0, seconds = 0] = duration.slice(1).map((part) => Number(part ?? 0));
    return Date.now() - ((hours * 60 + minutes) * 60 + seconds) * 1000;
  }
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new EngineError("invalid", `invalid filter 'until=${text}'`);
  return time;
}

function withMatchingNames(image: Image, patterns: readonly RegExp[]): Image {
  if (patterns.length === 0) return image;
  const keep = (name: string): boolean => {
    const bare = bareName(name);
    return patterns.some((pattern) => pattern.test(name) || pattern.test(bare));
  };
  const repoTags = image.repoTags.filter(keep);
  const repoDigests = image.repoDigests.filter(keep);
  return {
    ...image,
    get config() {
      return image.config;
    },
    repoTags,
    repoDigests,
  };
}

function bareName(name: string): string {
  const { tag, digest } = parseReference(name);
  if (digest !== undefined) return name.slice(0, name.indexOf("@"));
  return tag === undefined ? name : name.slice(0, -tag.length - 1);
}

/** A glob over familiar names as Go's path.Match has it: "*" stays within a part. */
function namePattern(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  try {
    return new RegExp(`^${source}$`);
  } catch (cause) {
    throw new EngineError("invalid", `invalid filter 'reference=${glob}'`, { cause });
  }
}
