import { EngineError } from "../errors.ts";

export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The environment of a container's program: what the engine sets, replaced or ended by what was asked for.
 *
 * @param asked `NAME=value`; `NAME` alone removes what the engine would set
 * @see moby, container/env.go, ReplaceOrAppendEnvValues
 */
export function containerEnvironment(
  asked: readonly string[],
  known: { readonly hostname: string; readonly tty: boolean },
): readonly string[] {
  const base = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${known.hostname}`];
  if (known.tty) base.push("TERM=xterm");
  return overrideEnvironment(base, asked);
}

/** `over` on top of `base`: same names are replaced in their place, others follow, a bare name removes. */
export function overrideEnvironment(base: readonly string[], over: readonly string[]): readonly string[] {
  const values = new Map(base.map((pair) => [nameOf(pair), pair]));
  for (const pair of over) {
    if (pair.includes("=")) values.set(nameOf(pair), pair);
    else values.delete(pair);
  }
  return [...values.values()];
}

/** HOME is known only when the user is; a container that sets its own keeps it, but an empty one is none, as in runc. */
export function withHome(environment: readonly string[], home: string): readonly string[] {
  return environment.some((pair) => pair.startsWith("HOME=") && pair !== "HOME=")
    ? environment
    : overrideEnvironment(environment, [`HOME=${home}`]);
}

/** @throws {EngineError} invalid for one without a name */
export function checkedEnvironment(asked: readonly string[]): readonly string[] {
  const nameless = asked.find((pair) => nameOf(pair) === "");
  if (nameless !== undefined) throw new EngineError("invalid", `invalid environment variable: ${nameless}`);
  return asked;
}

/** What `Config.Env` of a new container holds: the request's, then the image's that it does not name. */
export function mergeEnvironment(asked: readonly string[], image: readonly string[]): readonly string[] {
  const named = new Set(asked.map(nameOf));
  return [...asked, ...image.filter((pair) => !named.has(nameOf(pair)))];
}

function nameOf(pair: string): string {
  const at = pair.indexOf("=");
  return at < 0 ? pair : pair.slice(0, at);
}
