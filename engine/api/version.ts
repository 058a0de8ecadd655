import { EngineError } from "../errors.ts";

/** The newest version of the Engine API that is served: from 1.52 on it lacks fields that many tools read. */
export const API_VERSION = "1.45";
export const MIN_API_VERSION = "1.24";

/**
 * Reads the version of a URL's prefix.
 *
 * @param text such as `1.43`; absent means the newest
 * @returns 143 for 1.43
 * @throws {EngineError} invalid, if this version is not served; the texts are dockerd's
 */
export function parseVersion(text: string | undefined): number {
  if (text === undefined) return number(API_VERSION);
  const asked = number(text);
  if (asked < number(MIN_API_VERSION)) {
    throw new EngineError(
      "invalid",
      `client version ${text} is too old. Minimum supported API version is ${MIN_API_VERSION}, please upgrade your client to a newer version`,
    );
  }
  if (asked > number(API_VERSION)) {
    throw new EngineError(
      "invalid",
      `client version ${text} is too new. Maximum supported API version is ${API_VERSION}`,
    );
  }
  return asked;
}

function number(text: string): number {
  const [major = 0, minor = 0] = text.split(".").map(Number);
  return major * 100 + minor;
}
