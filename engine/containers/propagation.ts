import { realpath } from "node:fs/promises";
import { EngineError } from "../errors.ts";
import { mountOf } from "../volumes/mountinfo.ts";
import type { ResolvedMount } from "./types.ts";

/**
 * What shares nothing on the host cannot share with a container.
 *
 * @throws {EngineError} invalid, in Docker's words, for a bind as `shared` or `slave` of a mount that is private
 */
export async function checkPropagation(mounts: readonly ResolvedMount[]): Promise<void> {
  for (const { Type, Source, Propagation } of mounts) {
    const shared = /^r?shared$/.test(Propagation);
    if (Type !== "bind" || !(shared || /^r?slave$/.test(Propagation))) continue;
    const mount = await mountOf(await realpath(Source));
    if (mount === undefined || mount.shared || (mount.slave && !shared)) continue;
    const what = shared ? "a shared mount" : "a shared or slave mount";
    throw new EngineError("invalid", `path ${Source} is mounted on ${mount.target} but it is not ${what}`);
  }
}
