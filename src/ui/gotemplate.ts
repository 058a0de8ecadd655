/**
 * `--format '{{.Name}}'`: the part of Go's templates that scripts write for Docker's commands. Fields, `json`, `index`,
 * `range`, `if`, `with`, pipes and the functions below; variables and definitions are not part of it.
 */
import { AppError } from "../errors.ts";

type Data = unknown;
type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "value"; readonly pipe: string }
  | {
      readonly kind: "if" | "range" | "with";
      readonly pipe: string;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

const FUNCTIONS: Readonly<Record<string, (...args: Data[]) => Data>> = {
  json: (value) => JSON.stringify(value),
  upper: (text) => print(text).toUpperCase(),
  lower: (text) => print(text).toLowerCase(),
  title: (text) => print(text).replace(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  len: (value) => (typeof value === "string" ? value.length : Object.keys(Object(value)).length),
  index: (value, ...keys) => keys.reduce((each, key) => field(each, print(key)), value),
  join: (list, separator) => [...(list as Data[])].map(print).join(print(separator)),
  split: (text, separator) => print(text).split(print(separator)),
  printf: (form, ...args) => {
    let next = 0;
    return print(form).replace(/%(?:%|[-\d.]*[svdq])/g, (mark) => {
      if (mark === "%%") return "%";
      const text = print(args[next++]);
      return mark.endsWith("q") ? JSON.stringify(text) : text;
    });
  },
  println: (...args) => `${args.map(print).join(" ")}\n`,
  print: (...args) => args.map(print).join(" "),
  eq: (a, ...others) => others.some((b) => print(a) === print(b)),
  ne: (a, b) => print(a) !== print(b),
  not: (value) => !truth(value),
  and: (...values) => values.find((value) => !truth(value)) ?? values.at(-1),
  or: (...values) => values.find(truth) ?? values.at(-1),
};

/** @throws {AppError} USAGE for a template that cannot be read */
export function goTemplate(template: string): (data: Data) => string {
  const text = template.replace(/\\t/g, "\t").replace(/\\n/g, "\n");
  const parts = [...text.matchAll(/\{\{-?\s*([\s\S]*?)\s*-?\}\}|((?:(?!\{\{)[\s\S])+)/g)];
  const { nodes, rest } = parse(parts, 0);
  if (rest < parts.length) throw refused(template, "an `end` or `else` stands alone");
  return (data) => render(nodes, data, data);

  function parse(
    found: readonly RegExpMatchArray[],
    start: number,
  ): { nodes: Node[]; rest: number; by?: string } {
    const nodes: Node[] = [];
    for (let at = start; at < found.length; at++) {
      const [whole, action, plain] = found[at]!;
      if (plain !== undefined) nodes.push({ kind: "text", text: plain });
      else if (whole.startsWith("{{/*")) continue;
      else if (action === "end" || action === "else") return { nodes, rest: at, by: action };
      else {
        const [, kind, pipe] = /^(if|range|with)\s+([\s\S]+)$/.exec(action ?? "") ?? [];
        if (kind === undefined) {
          nodes.push({ kind: "value", pipe: action ?? "" });
          continue;
        }
        const then = parse(found, at + 1);
        const otherwise = then.by === "else" ? parse(found, then.rest + 1) : then;
        if ((otherwise.by ?? "") !== "end") throw refused(template, `${kind} has no end`);
        const last = then.by === "else" ? otherwise : then;
        nodes.push({
          kind: kind as "if",
          pipe: pipe!,
          body: then.nodes,
          otherwise: then.by === "else" ? otherwise.nodes : [],
        });
        at = last.rest;
      }
    }
    return { nodes, rest: found.length };
  }

  function render(nodes: readonly Node[], dot: Data, root: Data): string {
    return nodes
      .map((node) => {
        if (node.kind === "text") return node.text;
        const value = evaluate(node.pipe, dot, root);
        if (node.kind === "value") return print(value);
        if (!truth(value)) return render(node.otherwise, dot, root);
        if (node.kind === "if") return render(node.body, dot, root);
        if (node.kind === "with") return render(node.body, value, root);
        return Object.values(value as object)
          .map((item) => render(node.body, item, root))
          .join("");
      })
      .join("");
  }

  function evaluate(pipe: string, dot: Data, root: Data): Data {
    let value: Data;
    for (const [index, command] of commands(pipe).entries()) {
      const [first = "", ...args] = command;
      const call = FUNCTIONS[first];
      const given = args.map((word) => operand(word, dot, root));
      if (call) value = call(...given, ...(index > 0 ? [value] : []));
      else if (args.length === 0 && index === 0) value = operand(first, dot, root);
      else throw refused(template, `there is no function "${first}"`);
    }
    return value;
  }

  /** Words of each part between pipes; what stands in parentheses is one word. */
  function commands(pipe: string): string[][] {
    const words =
      pipe.match(/"(?:[^"\\]|\\.)*"|`[^`]*`|\((?:[^()]|\([^()]*\))*\)(?:\.[\w.]+)?|\||[^\s|]+/g) ?? [];
    const list: string[][] = [[]];
    for (const word of words) {
      if (word === "|") list.push([]);
      else list.at(-1)!.push(word);
    }
    return list;
  }

  function operand(word: string, dot: Data, root: Data): Data {
    if (word.startsWith('"')) return JSON.parse(word);
    if (word.startsWith("`")) return word.slice(1, -1);
    if (/^-?\d+(\.\d+)?$/.test(word)) return Number(word);
    if (word === "true" || word === "false") return word === "true";
    if (word === "nil") return undefined;
    const [, inner, path = ""] = /^\((.*)\)((?:\.\w+)*)$/s.exec(word) ?? [];
    if (inner !== undefined) return walk(evaluate(inner, dot, root), path);
    if (word.startsWith("$")) return walk(root, word.slice(1));
    if (word.startsWith(".")) return walk(dot, word);
    const call = FUNCTIONS[word];
    if (call) return call();
    throw refused(template, `"${word}" is nothing known`);
  }
}

function walk(value: Data, path: string): Data {
  return path
    .split(".")
    .filter((key) => key !== "")
    .reduce((each, key) => field(each, key), value);
}

/** Objects of the API have their fields in one spelling; a template's may have another, such as `.ID` for `Id`. */
function field(value: Data, key: string): Data {
  if (typeof value !== "object" || value === null) return undefined;
  if (key in value) return (value as Record<string, Data>)[key];
  const other = Object.keys(value).find((each) => each.toLowerCase() === key.toLowerCase());
  return other === undefined ? undefined : (value as Record<string, Data>)[other];
}

const truth = (value: Data): boolean =>
  typeof value === "object" && value !== null ? Object.keys(value).length > 0 : Boolean(value);

/** As Go prints: `[a b]` for lists, `map[k:v]` for objects. */
function print(value: Data): string {
  if (value === undefined || value === null) return "<no value>";
  if (Array.isArray(value)) return `[${value.map(print).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, item]) => `${key}:${print(item)}`).join(" ")}]`;
}

function refused(template: string, why: string): AppError {
  return new AppError("USAGE", `--format ${template}: ${why}`, {
    hint: `Write it like '{{.Name}}\\t{{.Status}}', or use json.`,
  });
}
