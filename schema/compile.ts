/**
 * Compiles compose.json to a validator in plain JavaScript, dist/compose-validator.cjs, so that nothing has to compile a
 * schema, or even load ajv, when a command runs. Formats and `description` are left to the loader and to editors.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import standalone from "ajv/dist/standalone/index.js";
import { buildSync } from "esbuild";

const dist = join(import.meta.dirname, "..", "dist");
const schema = JSON.parse(readFileSync(join(import.meta.dirname, "compose.json"), "utf8")) as object;

const ajv = new Ajv2020({
  allErrors: true,
  verbose: false,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allowUnionTypes: true,
  validateFormats: false,
  inlineRefs: false,
  code: { source: true, lines: false, optimize: 2 },
});
// strict mode knows no annotation that it was not told of.
for (const word of ["compose-duration"]) ajv.addFormat(word, true);

// ajv copies all errors so far for each part that has some: for a file of 100,000 slips that is a minute. Of more than
// some thousand nobody reads, and the file is refused already.
const validator = `${standalone
  .default(ajv, ajv.compile(schema))
  .replaceAll(
    /vErrors\s*=\s*vErrors\s*===\s*null\s*\?\s*(\w+)\.errors\s*:\s*vErrors\.concat\(\1\.errors\)/g,
    "vErrors = joined(vErrors, $1.errors)",
  )}
function joined(all, more) {
  if (all === null) return more;
  if (all.length < 2000) for (const each of more) all.push(each);
  return all;
}
`;
if (/\.concat\(/.test(validator)) throw new Error("ajv writes its errors together in another way now");
mkdirSync(dist, { recursive: true });
// Bundled, so that ajv's few run-time helpers are inside.
const bundled = buildSync({
  stdin: { contents: validator, resolveDir: dist, loader: "js" },
  bundle: true,
  platform: "node",
  format: "iife",
  globalName: "compiled",
  minify: true,
  write: false,
});
writeFileSync(
  join(dist, "compose-validator.cjs"),
  `${bundled.outputFiles[0]!.text}exports.validate = compiled;\n`,
);
writeFileSync(
  join(dist, "compose-validator.d.cts"),
  `export interface SchemaError {
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}
export interface Validate {
  (value: unknown): boolean;
  errors?: SchemaError[] | null;
}
export declare const validate: Validate;
`,
);
// Only errors and editors look at the schema itself; as text it costs nothing until then.
writeFileSync(
  join(dist, "compose-schema.cjs"),
  `module.exports.text = ${JSON.stringify(JSON.stringify(schema))};\n`,
);
writeFileSync(join(dist, "compose-schema.d.cts"), "export declare const text: string;\n");
