/**
 * What `import … from "slipway/model"` gives: the loader by itself, for programs that read Compose files.
 *
 * ```js
 * import { load } from "slipway/model";
 * const project = await load({ cwd: process.cwd(), env: process.env });
 * ```
 */
export { AppError, AppErrors, type FailureCode, type SourcePosition } from "../errors.ts";
export { toYaml } from "./emit.ts";
export { load } from "./load.ts";
export { printProvenance } from "./provenance.ts";
export { type RenderOptions, renderProject, toJson } from "./render.ts";
export { selectServices } from "./select.ts";
export type { Files } from "./source.ts";
export type * from "./types.ts";
export { formatDuration, parseBytes, parseDuration } from "./units.ts";
export { projectVariables } from "./variables.ts";
