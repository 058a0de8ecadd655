/** The number of this program; the build sets it to that of package.json. */
export const VERSION = process.env["SLIPWAY_VERSION"] ?? "0.0.0";
