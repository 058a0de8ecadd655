import { StringDecoder } from "node:string_decoder";

const MOST_LINES = 20;
const MOST_CHARACTERS = 2000;

/** The last lines of a program's output. */
export class Tail {
  readonly #decoders = { stdout: new StringDecoder(), stderr: new StringDecoder() };
  readonly #open = { stdout: "", stderr: "" };
  readonly #lines: string[] = [];

  add(stream: "stdout" | "stderr", chunk: Uint8Array): void {
    const parts = (this.#open[stream] + this.#decoders[stream].write(Buffer.from(chunk))).split("\n");
    this.#open[stream] = parts.pop()!.slice(-MOST_CHARACTERS);
    for (const part of parts) this.#push(part);
  }

  lines(): string[] {
    for (const stream of ["stdout", "stderr"] as const) {
      if (this.#open[stream] !== "") this.#push(this.#open[stream]);
      this.#open[stream] = "";
    }
    return [...this.#lines];
  }

  #push(line: string): void {
    this.#lines.push(line.replace(/\r$/, "").slice(0, MOST_CHARACTERS));
    if (this.#lines.length > MOST_LINES) this.#lines.shift();
  }
}
