/**
 * A language server for Compose files: the model's own loader behind the Language Server Protocol. Diagnostics are what
 * `config` and `config --lint` say, hovers what `explain` tells.
 */
import type { Readable, Writable } from "node:stream";
import type { Project } from "../model/types.ts";
import { complete } from "./complete.ts";
import { define } from "./define.ts";
import { diagnose } from "./diagnose.ts";
import { Documents, toPath, toUri } from "./documents.ts";
import { fixes } from "./fixes.ts";
import { hover } from "./hover.ts";
import type { Diagnostic, Position } from "./protocol.ts";
import { type Message, readMessages, writeMessage } from "./rpc.ts";

const CAPABILITIES = {
  textDocumentSync: { openClose: true, change: 1 },
  hoverProvider: true,
  definitionProvider: true,
  codeActionProvider: { codeActionKinds: ["quickfix"] },
  completionProvider: { triggerCharacters: [" ", "-", ":"] },
};

const METHOD_NOT_FOUND = -32601;
const INTERNAL_ERROR = -32603;

interface DocumentParams {
  readonly textDocument: { readonly uri: string; readonly text?: string };
  readonly contentChanges?: readonly { readonly text: string }[];
  readonly position?: Position;
  readonly context?: { readonly diagnostics: readonly Diagnostic[] };
}

/** Serves until `exit` or the input's end. @returns the exit status: 1 where `exit` came without `shutdown` */
export async function serve(
  input: Readable,
  output: Writable,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const server = new Server(output, env);
  for await (const message of readMessages(input)) {
    if (message.method === "exit") return server.isShutDown ? 0 : 1;
    await server.handle(message);
  }
  return 0;
}

class Server {
  readonly #output: Writable;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #documents = new Documents();
  /** The last project of each document that could be loaded. */
  readonly #projects = new Map<string, Project>();
  /** Where diagnostics were shown, by the document that brought them: they are taken back there. */
  readonly #shown = new Map<string, ReadonlySet<string>>();
  isShutDown = false;

  constructor(output: Writable, env: Readonly<Record<string, string | undefined>>) {
    this.#output = output;
    this.#env = env;
  }

  async handle({ id, method, params }: Message): Promise<void> {
    if (method === undefined) return;
    const work = this.#methods[method];
    if (!work) {
      if (id !== undefined)
        writeMessage(this.#output, {
          id,
          error: { code: METHOD_NOT_FOUND, message: `there is no ${method}` },
        });
      return;
    }
    try {
      const result = await work(params as DocumentParams);
      if (id !== undefined) writeMessage(this.#output, { id, result: result ?? null });
    } catch (error) {
      if (id !== undefined)
        writeMessage(this.#output, { id, error: { code: INTERNAL_ERROR, message: String(error) } });
    }
  }

  readonly #methods: Readonly<Record<string, (params: DocumentParams) => unknown>> = {
    initialize: () => ({ capabilities: CAPABILITIES, serverInfo: { name: "slipway" } }),
    initialized: () => undefined,
    shutdown: () => {
      this.isShutDown = true;
    },
    "textDocument/didOpen": ({ textDocument }) => this.#changed(textDocument.uri, textDocument.text ?? ""),
    "textDocument/didChange": ({ textDocument, contentChanges }) =>
      this.#changed(textDocument.uri, contentChanges?.at(-1)?.text ?? ""),
    "textDocument/didSave": () => this.#checkAll(),
    "textDocument/didClose": ({ textDocument }) => this.#closed(textDocument.uri),
    "textDocument/hover": ({ textDocument, position }) =>
      hover(this.#documents, toPath(textDocument.uri), position!, this.#project(textDocument.uri)),
    "textDocument/definition": ({ textDocument, position }) =>
      define(this.#documents, toPath(textDocument.uri), position!, this.#project(textDocument.uri)),
    "textDocument/completion": ({ textDocument, position }) =>
      complete(this.#documents, toPath(textDocument.uri), position!, this.#project(textDocument.uri)),
    "textDocument/codeAction": ({ textDocument, context }) =>
      fixes(this.#documents, toPath(textDocument.uri), context?.diagnostics ?? []),
  };

  async #changed(uri: string, text: string): Promise<void> {
    this.#documents.set(toPath(uri), text);
    await this.#checkAll();
  }

  /** All of them: a document is part of others through include and extends. */
  async #checkAll(): Promise<void> {
    for (const path of this.#documents.paths) await this.#check(path);
  }

  async #check(path: string): Promise<void> {
    const { project, found } = await diagnose(this.#documents, path, this.#env);
    if (project) this.#projects.set(path, project);
    for (const uri of this.#shown.get(path) ?? []) if (!found.has(uri)) this.#publish(uri, []);
    for (const [uri, diagnostics] of found) this.#publish(uri, diagnostics);
    this.#shown.set(path, new Set(found.keys()));
  }

  #closed(uri: string): void {
    const path = toPath(uri);
    this.#documents.close(path);
    this.#projects.delete(path);
    for (const shown of this.#shown.get(path) ?? [toUri(path)]) this.#publish(shown, []);
    this.#shown.delete(path);
  }

  #publish(uri: string, diagnostics: readonly unknown[]): void {
    writeMessage(this.#output, { method: "textDocument/publishDiagnostics", params: { uri, diagnostics } });
  }

  #project(uri: string): () => Promise<Project | undefined> {
    return async () => this.#projects.get(toPath(uri));
  }
}
