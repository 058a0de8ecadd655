/** Mounts in their short form: `[source:]target[:options]`. */

export interface ShortMount {
  readonly type: "bind" | "volume";
  readonly source?: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly bind?: {
    readonly propagation?: string;
    readonly selinux?: string;
    readonly create_host_path?: boolean;
  };
  readonly volume?: { readonly nocopy?: boolean };
  /** Options nobody knows; docker compose drops them without a word. */
  readonly unknown?: readonly string[];
}

/** Why a text is no mount. */
export class MountError extends Error {}

const PROPAGATIONS = ["rprivate", "private", "rshared", "shared", "rslave", "slave"];

/** @throws {MountError} */
export function parseMount(text: string): ShortMount {
  if (text === "") throw new MountError("a mount is empty");
  if (text.length <= 2) return { type: "volume", target: text };
  const parts = sections(text);
  if (parts.includes("")) throw new MountError("there is nothing between two colons");
  if (parts.length > 3) throw new MountError("there are too many colons");
  const [first, second, options] = parts;
  if (second === undefined) return { type: "volume", target: first!, volume: {} };
  return withOptions(first!, second, options?.split(",") ?? []);
}

function withOptions(source: string, target: string, options: readonly string[]): ShortMount {
  const isPath = /^[./~]|^\\\\|^[A-Za-z]:/.test(source);
  let bind: { propagation?: string; selinux?: string } = {};
  let readOnly = false;
  let nocopy = false;
  const unknown: string[] = [];
  for (const option of options) {
    if (option === "ro") readOnly = true;
    else if (option === "rw") readOnly = false;
    else if (option === "nocopy") nocopy = true;
    else if (PROPAGATIONS.includes(option)) bind = { ...bind, propagation: option };
    else if (option === "z" || option === "Z") bind = { ...bind, selinux: option };
    else unknown.push(option);
  }
  return {
    type: isPath ? "bind" : "volume",
    source,
    target,
    ...(readOnly && { read_only: true }),
    ...((isPath || Object.keys(bind).length > 0) && {
      bind: { ...bind, ...(isPath && { create_host_path: true }) },
    }),
    ...((!isPath || nocopy) && { volume: nocopy ? { nocopy: true } : {} }),
    ...(unknown.length > 0 && { unknown }),
  };
}

/** Splits at colons, but not at the one after a Windows drive's letter, nor inside `${…}`. */
function sections(text: string): string[] {
  const parts: string[] = [];
  let part = "";
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "$" && text[at + 1] === "{") depth++;
    else if (char === "}" && depth > 0) depth--;
    if (char === ":" && depth === 0 && !/^[A-Za-z]$/.test(part)) {
      parts.push(part);
      part = "";
    } else part += char;
  }
  return [...parts, part];
}
