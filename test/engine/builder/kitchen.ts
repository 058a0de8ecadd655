/** Builds in a sandbox: contexts are written to disk as they are listed, results come back as steps and files. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { dirname, join } from "node:path";
import type { Sandbox } from "../../helpers/sandbox.ts";

/** Path → content, or where a link points, or a mode beside the content. */
export type Files = Readonly<
  Record<string, string | { readonly link: string } | { readonly text: string; readonly mode: number }>
>;

export interface Built {
  readonly id: string;
  /** `state title`, in the order in which they ended. */
  readonly steps: readonly string[];
  readonly output: string;
  readonly reasons: readonly string[];
  readonly warnings: readonly string[];
  readonly error: BuildError | undefined;
}

export interface BuildError {
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
  readonly frame?: string;
  readonly exitCode?: number;
  readonly lastOutput?: readonly string[];
  readonly step?: string;
}

export class Kitchen implements Disposable {
  readonly sandbox: Sandbox;
  readonly #directories: string[] = [];

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  /** A new context directory. */
  context(files: Files): string {
    const directory = mkdtempSync("/var/tmp/slw-context-");
    this.#directories.push(directory);
    write(directory, files);
    return directory;
  }

  async build(directory: string, options: Readonly<Record<string, unknown>> = {}): Promise<Built> {
    const body = JSON.stringify({ directory, ...options });
    const messages = await post(this.sandbox.socket, "/slipway/v1/build", "application/json", body);
    const texts = (pick: (message: Message) => string | undefined): string[] =>
      messages.map(pick).filter((text) => text !== undefined);
    return {
      id: messages.find(({ aux }) => aux !== undefined)?.aux?.ID ?? "",
      steps: texts(({ step }) =>
        step === undefined || step.state === "start" ? undefined : `${step.state} ${step.title}`,
      ),
      output: texts(({ log, stream }) => (log === undefined ? undefined : stream)).join(""),
      reasons: messages.flatMap(({ step }) => step?.reasons ?? []),
      warnings: texts(({ warning }) => warning && `${warning.rule} ${warning.line}`),
      error: messages.find(({ error }) => error !== undefined)?.errorDetail,
    };
  }

  /** Docker's own call, with a tar. @returns the text that a client prints, and the error's */
  async classic(
    tar: Buffer,
    query = "",
  ): Promise<{ readonly text: string; readonly error: string | undefined }> {
    const messages = await post(this.sandbox.socket, `/v1.45/build?${query}`, "application/x-tar", tar);
    const text = messages.map(({ stream = "" }) => stream).join("");
    return { text, error: messages.find(({ error }) => error !== undefined)?.error };
  }

  /** What a command in a container of the image prints. */
  async run(image: string, command: string): Promise<string> {
    const { stdout, stderr, status } = await this.sandbox.docker([
      "run",
      "--rm",
      "--network",
      "none",
      image,
      "sh",
      "-c",
      command,
    ]);
    return status === 0 ? stdout.trim() : `exit ${status}: ${stderr}`;
  }

  [Symbol.dispose](): void {
    for (const directory of this.#directories) rmSync(directory, { recursive: true, force: true });
  }
}

export function write(directory: string, files: Files): void {
  for (const [path, file] of Object.entries(files)) {
    const full = join(directory, path);
    mkdirSync(dirname(full), { recursive: true });
    rmSync(full, { force: true });
    if (typeof file === "string") writeFileSync(full, file);
    else if ("link" in file) symlinkSync(file.link, full);
    else {
      writeFileSync(full, file.text);
      chmodSync(full, file.mode);
    }
  }
}

interface Message {
  readonly stream?: string;
  readonly step?: { readonly title: string; readonly state: string; readonly reasons?: readonly string[] };
  readonly log?: object;
  readonly warning?: { readonly rule: string; readonly line: number };
  readonly aux?: { readonly ID: string };
  readonly error?: string;
  readonly errorDetail?: BuildError;
}

async function post(
  socketPath: string,
  path: string,
  type: string,
  body: string | Buffer,
): Promise<Message[]> {
  const text = await new Promise<string>((resolve, reject) => {
    const call = request(
      { socketPath, path, method: "POST", headers: { "content-type": type } },
      (response) => {
        let all = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (all += chunk));
        response.on("end", () => resolve(all));
        response.on("error", reject);
      },
    );
    call.on("error", reject);
    call.end(body);
  });
  const messages = text.split("\r\n").filter((line) => line !== "");
  return messages.map((line) => {
    const message = JSON.parse(line) as Message & { message?: string };
    return message.message === undefined
      ? message
      : { error: message.message, errorDetail: { message: message.message } };
  });
}
