import type { Config } from "@oclif/core/config";

/**
 * What oclif's `Command` asks of a configuration. oclif's own `Config.load` reads package.json, looks for plugins and
 * builds manifests: 40 ms of every start, for a table that is known when the bundle is made.
 */
export const oclifConfig = {
  bin: "slipway",
  version: process.env["SLIPWAY_VERSION"] ?? "0.0.0",
  userAgent: "slipway",
  topicSeparator: " ",
  runHook: async () => ({ successes: [], failures: [] }),
  scopedEnvVarKey: (name: string) => `SLIPWAY_${name}`,
  scopedEnvVarKeys: (name: string) => [`SLIPWAY_${name}`],
  scopedEnvVar: () => undefined,
} as unknown as Config;
