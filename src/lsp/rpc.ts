/** JSON-RPC 2.0 with the headers of the Language Server Protocol, over any pair of streams. */
import type { Readable, Writable } from "node:stream";

export interface Message {
  readonly jsonrpc: "2.0";
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** Every message of a stream, until it ends. @throws {SyntaxError} a body that is no JSON */
export async function* readMessages(input: Readable): AsyncGenerator<Message> {
  let buffer = Buffer.alloc(0);
  for await (const chunk of input) {
    buffer = Buffer.concat([buffer, chunk as Buffer]);
    for (;;) {
      const end = buffer.indexOf("\r\n\r\n");
      if (end < 0) break;
      const length = Number(/content-length: *(\d+)/i.exec(buffer.toString("latin1", 0, end))?.[1] ?? 0);
      const start = end + 4;
      if (buffer.length < start + length) break;
      const body = buffer.toString("utf8", start, start + length);
      buffer = buffer.subarray(start + length);
      yield JSON.parse(body) as Message;
    }
  }
}

export function writeMessage(output: Writable, message: Omit<Message, "jsonrpc">): void {
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
  output.write(`Content-Length: ${body.length}\r\n\r\n`);
  output.write(body);
}
