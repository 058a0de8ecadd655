/** Flags of `image build` whose values have parts of their own, as Docker's build has them. */
import { resolve } from "node:path";
import { AppError } from "../errors.ts";
import { parseBytes } from "../model/units.ts";

export interface BuildOutput {
  readonly type: string; // image, registry, docker, oci, tar, local
  readonly dest?: string; // absolute, or "-" for standard output
  readonly push?: boolean;
  readonly tar?: boolean; // of oci: false leaves a directory
  readonly rewriteTimestamp?: boolean;
}

export interface BuildSecret {
  readonly id: string;
  readonly file?: string;
  readonly value?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `type=local,dest=DIR`, or a path alone: a directory, `-` a tar on standard output.
 *
 * @throws {AppError} USAGE
 */
export function readOutput(text: string): BuildOutput {
  if (!text.includes("="))
    return text === "-" ? { type: "tar", dest: "-" } : { type: "local", dest: resolve(text) };
  const given = fields("--output", text, ["type", "dest", "push", "tar", "rewrite-timestamp"]);
  const { type, dest } = given;
  if (type === undefined)
    throw new AppError("USAGE", `--output ${text}: say type=image, registry, docker, oci, tar or local`);
  const output = {
    type,
    ...(given["push"] === "true" && { push: true }),
    ...(given["tar"] === "false" && { tar: false }),
    ...(given["rewrite-timestamp"] === "true" && { rewriteTimestamp: true }),
  };
  if (type === "image" || type === "registry") return output;
  if (dest === undefined) throw new AppError("USAGE", `--output ${text}: ${type} needs dest=PATH`);
  if (dest === "-" && output.tar === false)
    throw new AppError("USAGE", `--output ${text}: a directory cannot go to standard output`);
  return { ...output, dest: dest === "-" ? dest : resolve(dest) };
}

export interface BuildAttest {
  readonly provenance?: "min" | "max";
  readonly sbom?: boolean;
}

/**
 * `type=provenance,mode=max` and `type=sbom` of --attest; --provenance and --sbom are short for them.
 *
 * @throws {AppError} USAGE
 */
export function readAttest(flags: {
  readonly attest?: readonly string[] | undefined;
  readonly provenance?: string | undefined;
  readonly sbom?: string | undefined;
}): BuildAttest | undefined {
  const texts = [
    ...(flags.attest ?? []),
    ...(flags.provenance === undefined ? [] : [`type=provenance,${truth(flags.provenance)}`]),
    ...(flags.sbom === undefined ? [] : [`type=sbom,${truth(flags.sbom)}`]),
  ];
  let attest: BuildAttest = {};
  for (const text of texts) {
    const { type, mode = "min", disabled } = fields("--attest", text, ["type", "mode", "disabled"]);
    if (type !== "provenance" && type !== "sbom")
      throw new AppError("USAGE", `--attest ${text}: say type=provenance or type=sbom`);
    if (mode !== "min" && mode !== "max") throw new AppError("USAGE", `--attest ${text}: mode is min or max`);
    const { [type]: _, ...others } = attest;
    attest = disabled === "true" ? others : { ...attest, [type]: type === "sbom" ? true : mode };
  }
  return Object.keys(attest).length > 0 ? attest : undefined;
}

/** `true`, `false`, or fields as they are. */
function truth(text: string): string {
  if (text === "true") return "disabled=false";
  return text === "false" ? "disabled=true" : text;
}

/** `id=ID,src=FILE`, `id=ID,env=NAME`, `id=ID` for a variable of that name. @throws {AppError} USAGE */
export function readSecret(text: string, env: Environment): BuildSecret {
  const {
    id,
    src,
    source,
    env: name,
    type,
  } = fields("--secret", text, ["id", "src", "source", "env", "type"]);
  if (id === undefined) throw new AppError("USAGE", `--secret ${text}: id=NAME is missing`);
  const file = src ?? source;
  if (file !== undefined && type !== "env") return { id, file: resolve(file) };
  const variable = name ?? file ?? id;
  const value = env[variable];
  if (value === undefined)
    throw new AppError("USAGE", `--secret ${text}: ${variable} is not set in the environment`);
  return { id, value };
}

/** `default` or `ID` for the agent of SSH_AUTH_SOCK, `ID=SOCKET` for another. @throws {AppError} USAGE */
export function readAgent(text: string, env: Environment): { readonly id: string; readonly socket: string } {
  const [id = "", path] = text.split("=", 2);
  const socket = path ?? env["SSH_AUTH_SOCK"];
  if (socket === undefined)
    throw new AppError("USAGE", `--ssh ${text}: SSH_AUTH_SOCK is not set, and no socket is given`);
  return { id, socket: resolve(socket) };
}

/** `NAME=PATH`; a path becomes absolute, anything with a scheme stays. @throws {AppError} USAGE */
export function readNamedContext(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at <= 0) throw new AppError("USAGE", `--build-context ${text}: write NAME=PATH`);
  const value = text.slice(at + 1);
  return [text.slice(0, at), /^[a-z][a-z0-9+-]*:|^git@/.test(value) ? value : resolve(value)];
}

/**
 * `type=local,dest=DIR`, `type=registry,ref=NAME` or `type=inline` of --cache-to; the first two with src, or the bare name
 * of an image, of --cache-from. Paths become absolute.
 *
 * @throws {AppError} USAGE
 */
export function readCache(
  flag: "--cache-to" | "--cache-from",
  text: string,
): Readonly<Record<string, string | undefined>> {
  if (!text.includes("=")) return { type: "registry", ref: text };
  const isTo = flag === "--cache-to";
  const key = isTo ? "dest" : "src";
  const given = fields(flag, text, [
    ...["type", key, "ref", "tag"],
    ...(isTo ? ["mode", "ignore-error"] : []),
  ]);
  const needed = { local: key, registry: "ref", inline: undefined }[given["type"] ?? ""];
  const isKnown = needed !== undefined || (isTo && given["type"] === "inline");
  if (!isKnown)
    throw new AppError("USAGE", `${flag} ${text}: say type=local, registry${isTo ? " or inline" : ""}`);
  const value = needed && given[needed];
  if (needed !== undefined && value === undefined)
    throw new AppError("USAGE", `${flag} ${text}: ${given["type"]} needs ${needed}=`);
  return needed === key ? { ...given, [key]: resolve(value ?? "") } : given;
}

/** `nofile=1024:2048`. @throws {AppError} USAGE */
export function readUlimit(text: string): {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
} {
  const [, name, soft, hard] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  if (name === undefined) throw new AppError("USAGE", `--ulimit ${text}: write NAME=SOFT[:HARD]`);
  return { Name: name, Soft: Number(soft), Hard: Number(hard ?? soft) };
}

/** `name:address` or `name=address`. */
export function readHost(text: string): string {
  return text.replace("=", ":");
}

/** @throws {AppError} USAGE */
export function readSize(text: string, flag = "--shm-size"): number {
  try {
    return parseBytes(text);
  } catch (cause) {
    throw new AppError("USAGE", `${flag} ${text}: write a size such as 64m`, { cause });
  }
}

function fields(
  flag: string,
  text: string,
  known: readonly string[],
): Readonly<Record<string, string | undefined>> {
  const values: Record<string, string> = {};
  for (const field of text.split(",")) {
    const at = field.indexOf("=");
    const key = field.slice(0, at < 0 ? undefined : at);
    if (at < 0 || !known.includes(key))
      throw new AppError("USAGE", `${flag} ${text}: ${field} is not one of ${known.join(", ")}`);
    values[key] = field.slice(at + 1);
  }
  return values;
}
