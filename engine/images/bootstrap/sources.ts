import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** One source of packages, as apt's sources.list(5) describes them. */
export interface Source {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Path of a keyring, or the key itself in armour; undefined: apt's own trusted keys. */
  readonly signedBy: string | undefined;
  /** Other options of the entry, in deb822's names, such as `Check-Valid-Until`. */
  readonly options: Readonly<Record<string, string>>;
}

/** What apt on this machine is configured to fetch, binary packages only, in both formats. */
export function machineSources(etc = "/etc/apt"): Source[] {
  const parts = join(etc, "sources.list.d");
  const files = [
    join(etc, "sources.list"),
    ...(existsSync(parts) ? readdirSync(parts).sort() : [])
      .filter((name) => /^[A-Za-z0-9_.-]+\.(list|sources)$/.test(name))
      .map((name) => join(parts, name)),
  ];
  return files
    .filter((file) => existsSync(file))
    .flatMap((file) => {
      const text = readFileSync(file, "utf8");
      return basename(file).endsWith(".sources") ? parseStanzas(text) : parseLines(text);
    });
}

/** The one-line format: `deb [option=value …] uri suite [component …]`. */
export function parseLines(text: string): Source[] {
  const sources: Source[] = [];
  for (const line of text.split("\n")) {
    const [, options = "", rest = ""] = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?([^#]*)/.exec(line) ?? [];
    const [uri, suite, ...components] = rest.trim().split(/\s+/);
    if (!uri || !suite) continue;
    const given = Object.fromEntries(
      options
        .trim()
        .split(/\s+/)
        .filter((option) => option.includes("="))
        .map((option) => {
          const [name = "", value = ""] = option.split(/=(.*)/s);
          return [name.toLowerCase(), value.replaceAll(",", " ")];
        }),
    );
    const { "signed-by": signedBy, arch: _arch, ...others } = given;
    sources.push({ uris: [uri], suites: [suite], components, signedBy, options: others });
  }
  return sources;
}

/** deb822: stanzas of fields, a value going on in lines that begin with a blank. */
export function parseStanzas(text: string): Source[] {
  const sources: Source[] = [];
  for (const stanza of text.split(/\n\s*\n/)) {
    const fields = stanzaFields(stanza);
    const words = (name: string): string[] => (fields[name] ?? "").split(/\s+/).filter((word) => word !== "");
    if (!words("types").includes("deb") || /^(no|false|0)$/i.test(fields["enabled"] ?? "")) continue;
    const {
      types: _types,
      uris,
      suites,
      components,
      enabled: _enabled,
      architectures: _archs,
      ...others
    } = fields;
    const { "signed-by": signedBy, ...options } = others;
    if (uris === undefined || suites === undefined) continue;
    sources.push({
      uris: words("uris"),
      suites: words("suites"),
      components: components === undefined ? [] : words("components"),
      signedBy,
      options,
    });
  }
  return sources;
}

function stanzaFields(stanza: string): Record<string, string> {
  const fields: Record<string, string> = {};
  let last = "";
  for (const line of stanza.split("\n")) {
    if (line.startsWith("#") || line.trim() === "") continue;
    const start = /^([A-Za-z][A-Za-z0-9-]*):\s*(.*)$/.exec(line);
    if (start !== null) {
      last = (start[1] ?? "").toLowerCase();
      fields[last] = start[2] ?? "";
    } else if (/^\s/.test(line) && last !== "") {
      fields[last] += `\n${line.trim() === "." ? "" : line.trim()}`;
    }
  }
  return fields;
}

/** deb822 again, for apt of the image and for the private one that fetches it. */
export function printSources(sources: readonly Source[]): string {
  const title = (name: string): string => name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
  return sources
    .map((source) =>
      [
        "Types: deb",
        `URIs: ${source.uris.join(" ")}`,
        `Suites: ${source.suites.join(" ")}`,
        ...(source.components.length > 0 ? [`Components: ${source.components.join(" ")}`] : []),
        ...Object.entries(source.options).map(([name, value]) => `${title(name)}: ${value}`),
        ...(source.signedBy === undefined ? [] : [`Signed-By: ${folded(source.signedBy)}`]),
      ].join("\n"),
    )
    .join("\n\n")
    .concat("\n");
}

/** A key in armour stands in lines of its own, an empty one as a dot. */
function folded(value: string): string {
  return value
    .split("\n")
    .map((line, at) => (at === 0 ? line : ` ${line === "" ? "." : line}`))
    .join("\n");
}

/**
 * The machine's Debian sources for a suite: those it has, or those of its own suite with the name changed.
 *
 * @param own the codename of the machine's Debian
 * @returns none if the machine has no Debian sources
 */
export function sourcesFor(sources: readonly Source[], suite: string, own: string): Source[] {
  const debian = sources.filter((source) =>
    source.uris.some((uri) => /\/debian(-security|-archive)?\/?$|debian\.org/.test(uri)),
  );
  const having = keepSuites(debian, suite);
  if (having.length > 0) return having;
  return keepSuites(debian, own)
    .map((source) => ({
      ...source,
      suites: source.suites
        .filter((name) => name === own || !ROLLING.has(suite))
        .map((name) => suite + name.slice(own.length)),
    }))
    .filter(({ suites }) => suites.length > 0);
}

/** Updates go into the release itself: there are no other suites beside it. */
const ROLLING = new Set(["sid", "unstable"]);

/** Without backports and proposed updates, which nobody gets unasked. */
function keepSuites(sources: readonly Source[], suite: string): Source[] {
  const wanted = new Set([suite, `${suite}-updates`, `${suite}-security`, `${suite}/updates`]);
  return sources
    .map((source) => ({ ...source, suites: source.suites.filter((name) => wanted.has(name)) }))
    .filter((source) => source.suites.length > 0);
}
