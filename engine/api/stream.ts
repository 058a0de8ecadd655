import type { ServerResponse } from "node:http";
import { messageOf } from "../errors.ts";
import type { Progress } from "./router.ts";

/** JSON messages of a build, pull or push: one a line, `\r\n` between them, each sent at once. */
export class JsonStream implements Progress {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  write(message: object): void {
    if (!this.#response.headersSent) {
      this.#response.writeHead(200, { "Content-Type": "application/json" });
      this.#response.flushHeaders();
    }
    if (!this.#response.destroyed) this.#response.write(`${JSON.stringify(message)}\r\n`);
  }

  /** Tells of a failure after the status line has gone out. */
  fail(error: unknown): void {
    const message = messageOf(error);
    this.write({ errorDetail: { message }, error: message });
    this.end();
  }

  end(): void {
    if (!this.#response.headersSent) this.#response.writeHead(200, { "Content-Type": "application/json" });
    this.#response.end();
  }
}
