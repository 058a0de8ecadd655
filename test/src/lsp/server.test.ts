import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CodeAction, Diagnostic, TextEdit } from "../../../src/lsp/protocol.ts";
import { type Message, readMessages, writeMessage } from "../../../src/lsp/rpc.ts";
import { serve } from "../../../src/lsp/server.ts";

const FILES = {
  ".env": "TAG=1\n",
  "base.yaml": "services:\n  base:\n    image: i\n",
  "compose.yaml": [
    "services:",
    "  web:",
    '    image: "nginx:${TAG}"',
    "    depends_on:",
    "      - api",
    "    networks: [back]",
    "    extends: {file: base.yaml, service: base}",
    "  api:",
    "    image: node",
    "    restart: always",
    "networks:",
    "  back:",
    "",
  ].join("\n"),
};

/** An editor with the project open. */
class Editor {
  readonly folder = mkdtempSync(join(tmpdir(), "lsp-"));
  readonly #input = new PassThrough();
  readonly #output = new PassThrough();
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly ended = serve(this.#input, this.#output, {});
  diagnostics: { uri: string; diagnostics: Diagnostic[] }[] = [];
  #id = 0;

  constructor() {
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(this.folder, name), text);
    void this.#read();
  }

  async #read(): Promise<void> {
    for await (const message of readMessages(this.#output)) {
      if (message.method === "textDocument/publishDiagnostics")
        this.diagnostics.push(message.params as never);
      else this.#waiting.get(message.id as number)?.(message);
    }
  }

  get uri(): string {
    return pathToFileURL(join(this.folder, "compose.yaml")).href;
  }

  notify(method: string, params: object): void {
    writeMessage(this.#input, { method, params });
  }

  async ask<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.#id;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    writeMessage(this.#input, { id, method, params });
    const { result, error } = await answer;
    if (error) throw new Error(error.message);
    return result as T;
  }

  open(text: string, uri = this.uri): void {
    this.notify("textDocument/didOpen", { textDocument: { uri, text } });
  }

  /** What is shown of a file now. */
  async shown(uri = this.uri): Promise<Diagnostic[]> {
    await this.ask("initialize");
    return this.diagnostics.findLast((each) => each.uri === uri)?.diagnostics ?? [];
  }

  /** The place of a text in compose.yaml, `more` characters further. */
  at(text: string, needle: string, more = 0): object {
    const before = text.slice(0, text.indexOf(needle) + more).split("\n");
    return {
      textDocument: { uri: this.uri },
      position: { line: before.length - 1, character: before.at(-1)!.length },
    };
  }

  async close(): Promise<void> {
    await this.ask("shutdown");
    this.notify("exit", {});
    assert.is(await this.ended, 0);
    rmSync(this.folder, { recursive: true });
  }
}

const lsp = suite("lsp/server");
const text = FILES["compose.yaml"];

lsp("says what it can do, and refuses what it cannot", async () => {
  const editor = new Editor();
  const { capabilities } = await editor.ask<{ capabilities: Record<string, unknown> }>("initialize");
  assert.ok(
    capabilities["hoverProvider"] && capabilities["definitionProvider"] && capabilities["completionProvider"],
  );
  await editor.ask("textDocument/nothing").then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, "there is no textDocument/nothing"),
  );
  await editor.close();
});

lsp("mistakes are shown where they are, and taken back when they are gone", async () => {
  const editor = new Editor();
  editor.open(text.replace("restart", "restrat"));
  await editor.ask("initialize");
  const [shown] = editor.diagnostics.at(-1)!.diagnostics;
  assert.is(shown!.code, "COMPOSE_UNKNOWN_KEY");
  assert.is(shown!.message, 'services.api: unknown key "restrat"\nDid you mean "restart"?');
  assert.equal(shown!.range.start, { line: 9, character: 4 });
  editor.notify("textDocument/didChange", { textDocument: { uri: editor.uri }, contentChanges: [{ text }] });
  await editor.ask("initialize");
  assert.equal(editor.diagnostics.at(-1)!.diagnostics, []);
  await editor.close();
});

lsp("a hover tells what a key is for and where its value comes from", async () => {
  const editor = new Editor();
  editor.open(text);
  const hover = await editor.ask<{ contents: { value: string } }>(
    "textDocument/hover",
    editor.at(text, "image", 2),
  );
  assert.match(hover.contents.value, "Image it runs");
  assert.match(hover.contents.value, "services.web.image = nginx:1");
  assert.match(hover.contents.value, "TAG: from .env:1");
  assert.match(hover.contents.value, "base.yaml:3:12  lost: i");
  await editor.close();
});

for (const [what, needle, more, file, line] of [
  ["a dependency", "- api", 3, "compose.yaml", 7],
  ["a network", "[back]", 2, "compose.yaml", 11],
  ["a base service", "service: base", 10, "base.yaml", 1],
  ["a base file", "file: base", 7, "base.yaml", 0],
  ["a variable", "${TAG}", 3, ".env", 0],
] as const) {
  lsp(`the definition of ${what} is found`, async () => {
    const editor = new Editor();
    editor.open(text);
    const found = await editor.ask<{ uri: string; range: { start: { line: number } } }>(
      "textDocument/definition",
      editor.at(text, needle, more),
    );
    assert.is(found.uri, pathToFileURL(join(editor.folder, file)).href);
    assert.is(found.range.start.line, line);
    await editor.close();
  });
}

for (const [what, insert, expected, absent] of [
  ["keys of a service, but not those it has", "    re", ["read_only", "ports"], ["restart", "image"]],
  ["words of a value", "    pull_policy: x\n    init: ", ["true", "false"], []],
  ["keys inside a mapping", "    healthcheck:\n      ", ["interval", "test"], ["image"]],
  ["services to depend on", "    depends_on:\n    - ", ["web"], ["api", "condition"]],
  ["networks in brackets", "    networks: [", ["back"], []],
  [
    "actions of a watch rule",
    "    develop:\n      watch:\n        - path: .\n          action: ",
    ["sync", "rebuild"],
    ["path"],
  ],
] as const) {
  lsp(`completion offers ${what}`, async () => {
    const editor = new Editor();
    editor.open(text);
    const edited = text.replace("    restart", `${insert}\n    restart`);
    editor.notify("textDocument/didChange", {
      textDocument: { uri: editor.uri },
      contentChanges: [{ text: edited }],
    });
    const offered = await editor.ask<{ label: string }[]>(
      "textDocument/completion",
      editor.at(edited, insert, insert.length),
    );
    const labels = offered.map(({ label }) => label);
    for (const label of expected) assert.ok(labels.includes(label), `${label} is not in ${labels.join(" ")}`);
    for (const label of absent) assert.not(labels.includes(label), `${label} is offered`);
    await editor.close();
  });
}

/** The text after an edit, as an editor makes it. */
function edited(text: string, { range, newText }: TextEdit): string {
  const lines = text.split("\n");
  const offset = ({ line, character }: TextEdit["range"]["start"]): number =>
    lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0) + character;
  return text.slice(0, offset(range.start)) + newText + text.slice(offset(range.end));
}

for (const [what, service, more, title, expected] of [
  ["a misspelt key", "restrat: always", "", "Change to restart", "restart: always"],
  ["a number without quotes", "environment: {V: 1.10}", "", 'Write "1.10"', 'environment: {V: "1.10"}'],
  ["a time without a unit", "stop_grace_period: 5", "", "Write 5s", "stop_grace_period: 5s"],
  ["a network that nobody declares", "networks: [back]", "", "Declare networks.back", "networks:\n  back:\n"],
  [
    "a network beside others",
    "networks: [front, back]",
    "networks:\n  front:\n",
    "Declare networks.back",
    "networks:\n  back:\n  front:\n",
  ],
  ["a volume that nobody uses", "hostname: h", "volumes:\n  data:\n", "Remove it", "volumes:\n"],
  [
    "a command that is cut off",
    "command: a && b",
    "",
    "Run it by a shell",
    'command: ["sh", "-c", "a && b"]',
  ],
  [
    "a secret",
    "environment: [API_KEY=x]",
    "",
    "Take it from the variable API_KEY",
    'environment: ["API_KEY=${API_KEY}"]',
  ],
  ["a dollar sign", "environment: {PASSWORD: a$b}", "", "Write $$", "environment: {PASSWORD: a$$b}"],
  [
    "anything",
    "restart: sometimes",
    "",
    "Do not tell of RESTART in this file",
    "x-lint:\n  ignore: [RESTART]\n",
  ],
  [
    "one thing more",
    "restart: sometimes",
    "x-lint: {ignore: [A]}\n",
    "Do not tell of RESTART in this file",
    "{ignore: [A, RESTART]}",
  ],
] as const) {
  lsp(`a quick fix for ${what}`, async () => {
    const editor = new Editor();
    const before = `services:\n  s:\n    image: i\n    ${service}\n${more}`;
    editor.open(before);
    const diagnostics = await editor.shown();
    const actions = await editor.ask<CodeAction[]>("textDocument/codeAction", {
      textDocument: { uri: editor.uri },
      range: diagnostics[0]!.range,
      context: { diagnostics },
    });
    const action = actions.find((each) => each.title === title);
    assert.ok(action, `there is only ${actions.map((each) => each.title).join(", ")}`);
    const after = edited(before, action.edit.changes[editor.uri]![0]!);
    assert.ok(after.includes(expected), after);
    await editor.close();
  });
}

lsp("an extended file is seen as a part of its project", async () => {
  const editor = new Editor();
  const uri = pathToFileURL(join(editor.folder, "base.yaml")).href;
  const base = "services:\n  base:\n    hostname: h\n";
  editor.open(base, uri);
  assert.equal(await editor.shown(uri), []);
  const hover = await editor.ask<{ contents: { value: string } }>("textDocument/hover", {
    textDocument: { uri },
    position: { line: 2, character: 14 },
  });
  assert.match(hover.contents.value, "services.web.hostname = h");
  await editor.close();
});

lsp("a variant is checked over the file beside it", async () => {
  const editor = new Editor();
  const uri = pathToFileURL(join(editor.folder, "compose.ci.yaml")).href;
  editor.open("services:\n  api:\n    restrat: always\n", uri);
  assert.equal(
    (await editor.shown(uri)).map(({ code }) => code),
    ["COMPOSE_UNKNOWN_KEY"],
  );
  await editor.close();
});

lsp("the definition of an alias is its anchor", async () => {
  const editor = new Editor();
  const aliased = "x-a: &common {image: i}\nservices:\n  s: *common\n";
  editor.open(aliased);
  const found = await editor.ask<{ range: { start: { line: number; character: number } } }>(
    "textDocument/definition",
    editor.at(aliased, "*common", 2),
  );
  assert.equal(found.range.start, { line: 0, character: 5 });
  await editor.close();
});

lsp.run();
