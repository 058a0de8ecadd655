import { parseDuration as parse } from "../../duration.ts";
import { messageOf } from "../../errors.ts";
import { DockerfileError } from "./position.ts";

/**
 * Reads a Go duration in a Dockerfile.
 *
 * @returns nanoseconds
 * @throws {DockerfileError} in Go's words
 */
export function parseDuration(text: string): number {
  try {
    return parse(text);
  } catch (cause) {
    throw new DockerfileError(messageOf(cause));
  }
}
