/** What can be done about a diagnostic at once: the fix that its hint names, and not to be told of it any more. */
import { child, isList, isMap, type MapNode, type Node, textOf } from "../model/node.ts";
import type { Place, SourceText } from "../model/place.ts";
import { offsetOf } from "./cursor.ts";
import { rangeOf } from "./define.ts";
import { type Documents, toUri } from "./documents.ts";
import type { CodeAction, Diagnostic, TextEdit } from "./protocol.ts";

interface Given {
  readonly diagnostic: Diagnostic;
  /** The last line of its message: what to do. */
  readonly hint: string;
  readonly file: SourceText;
  readonly tree: MapNode;
  /** The key or value that starts there. */
  readonly place: Place;
  readonly node: Node | undefined;
}

interface Fix {
  readonly title: string;
  readonly edit: TextEdit;
}

export function fixes(documents: Documents, path: string, diagnostics: readonly Diagnostic[]): CodeAction[] {
  const tree = documents.tree(path);
  const file = documents.text(path);
  if (!isMap(tree)) return [];
  return diagnostics.flatMap((diagnostic) => {
    const start = offsetOf(file, diagnostic.range.start);
    const found = startingAt(tree, start);
    const place = found?.place ?? { file, start, end: offsetOf(file, diagnostic.range.end) };
    const hint = diagnostic.message.split("\n").at(-1) ?? "";
    const given = { diagnostic, hint, file, tree, place, node: found?.node };
    const action = ({ title, edit }: Fix, isPreferred: boolean): CodeAction => ({
      title,
      kind: "quickfix",
      diagnostics: [diagnostic],
      isPreferred,
      edit: { changes: { [toUri(path)]: [edit] } },
    });
    const fix = FIXES.map((find) => find(given)).find((each) => each !== undefined);
    const silence = diagnostic.severity === 1 ? undefined : silenced(given);
    return [...(fix ? [action(fix, true)] : []), ...(silence ? [action(silence, false)] : [])];
  });
}

/** The key or value whose text starts at an offset. */
function startingAt(node: Node, offset: number): { place: Place; node: Node } | undefined {
  const entries = isMap(node) ? [...node.entries.values()] : isList(node) ? node.items : [];
  for (const value of entries) {
    if (value.key?.start === offset) return { place: value.key, node: value };
    if (value.kind === "scalar" && value.at.start === offset) return { place: value.at, node: value };
    const below = startingAt(value, offset);
    if (below) return below;
  }
  return undefined;
}

const replace = (place: Place, newText: string): TextEdit => ({ range: rangeOf(place), newText });
const insert = (file: SourceText, at: number, newText: string): TextEdit =>
  replace({ file, start: at, end: at }, newText);
const written = ({ file, start, end }: Place): string => file.text.slice(start, end);

const FIXES: readonly ((given: Given) => Fix | undefined)[] = [
  function meant({ hint, place }) {
    const [, word] = /^Did you mean (?:\w+ )?"([^"]+)"\?$/.exec(hint) ?? [];
    if (word === undefined) return undefined;
    const quote = /^["']/.exec(written(place))?.[0] ?? "";
    return { title: `Change to ${word}`, edit: replace(place, quote + word + quote) };
  },
  function spelt({ hint, place }) {
    const [, text] =
      /^(?:Put it in quotes: (?=")|Write it with a unit: |Write (?="))(.+)\.$/.exec(hint) ?? [];
    return text === undefined ? undefined : { title: `Write ${text}`, edit: replace(place, text) };
  },
  function needless({ diagnostic, file, node }) {
    if (!["VERSION_OBSOLETE", "UNUSED"].includes(diagnostic.code) || !node) return undefined;
    return { title: "Remove it", edit: removal(file, node) };
  },
  function declared({ hint, file, tree }) {
    const [, section, name] = /^Declare it at the top level: `(\w+): \{ (.+): \}`\.$/.exec(hint) ?? [];
    if (section === undefined || name === undefined) return undefined;
    return { title: `Declare ${section}.${name}`, edit: declaration(file, tree, section, name) };
  },
  function shell({ diagnostic, node, place }) {
    const text = textOf(node);
    if (diagnostic.code !== "COMMAND_CUT" || text === undefined) return undefined;
    return {
      title: "Run it by a shell",
      edit: replace(place, `["sh", "-c", ${JSON.stringify(text)}]`),
    };
  },
  function variable({ diagnostic, hint, place }) {
    const [, name] = /\$\{(\w+)\}/.exec(hint) ?? [];
    if (diagnostic.code !== "PLAIN_SECRET" || name === undefined) return undefined;
    const text = written(place).includes(`${name}=`) ? `${name}=\${${name}}` : `\${${name}}`;
    return { title: `Take it from the variable ${name}`, edit: replace(place, JSON.stringify(text)) };
  },
  function dollar({ diagnostic, place }) {
    if (diagnostic.code !== "DOLLAR") return undefined;
    return { title: "Write $$", edit: replace(place, written(place).replace(/\$(?!\$)/g, "$$$$")) };
  },
];

/** The lines of a key and its value; what stands in braces goes by itself. */
function removal(file: SourceText, node: Node): TextEdit {
  const key = node.key ?? node.at;
  const line = file.position(key.start);
  const alone =
    file
      .line(line.line)
      .slice(0, line.column - 1)
      .trim() === "";
  if (!alone) return replace({ file, start: key.start, end: Math.max(node.at.end, key.end) }, "");
  const last = file.position(Math.max(key.end, node.at.end - 1)).line;
  const end = file.starts[last] ?? file.text.length;
  return replace({ file, start: file.starts[line.line - 1]!, end }, "");
}

function declaration(file: SourceText, tree: MapNode, section: string, name: string): TextEdit {
  const own = tree.entries.get(section);
  const inBraces = own && written(own.at).startsWith("{");
  if (own?.key && isMap(own) && !inBraces) {
    const line = file.position(own.key.start).line;
    return insert(file, file.starts[line] ?? file.text.length, `  ${name}:\n`);
  }
  if (isMap(own) && inBraces)
    return insert(file, own.at.start + 1, `${name}: ${own.entries.size > 0 ? ", " : ""}`);
  const separator = file.text.endsWith("\n") ? "" : "\n";
  return insert(file, file.text.length, `${separator}${section}:\n  ${name}:\n`);
}

function silenced({ diagnostic: { code }, file, tree }: Given): Fix | undefined {
  const title = `Do not tell of ${code} in this file`;
  const list = child(tree.entries.get("x-lint"), "ignore");
  if (!tree.entries.has("x-lint")) {
    const separator = file.text.endsWith("\n") ? "" : "\n";
    return { title, edit: insert(file, file.text.length, `${separator}x-lint:\n  ignore: [${code}]\n`) };
  }
  const last = isList(list) ? list.items.at(-1) : undefined;
  if (!isList(list) || !last) return undefined;
  if (written(list.at).startsWith("[")) return { title, edit: insert(file, last.at.end, `, ${code}`) };
  const { line } = file.position(last.at.start);
  const indent = /^\s*/.exec(file.line(line))![0];
  return { title, edit: insert(file, last.at.end, `\n${indent}- ${code}`) };
}
