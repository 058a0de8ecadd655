import type { Readable } from "node:stream";
import type { Output, Session } from "../native/monitor.ts";
import { DetachScanner } from "./detach-keys.ts";

/** Where a client wants a program's output. */
export interface OutputSink {
  /** @returns false when it is full, until `drained()` resolves */
  write(stream: "stdout" | "stderr", chunk: Buffer): boolean;
  drained(): Promise<void>;
}

/** A client at the other end of a program's stdio. */
export interface Client {
  readonly sink: OutputSink;
  /** Its input; the end of it is the end of the program's stdin, where the program's options say so. */
  readonly input: Readable | undefined;
  /** The client is gone. */
  readonly signal: AbortSignal;
}

export interface ConnectOptions {
  /** Close the program's stdin at the client's end of input. */
  readonly endInput: boolean;
  /** The bytes that let go; empty for none. */
  readonly detachKeys: Uint8Array;
}

/** An Output that obeys the client's pace. `session` is known only when the output already flows. */
export function pacedOutput(sink: OutputSink, session: () => Session | undefined): Output {
  return {
    data(stream, chunk) {
      if (sink.write(stream, chunk)) return true;
      void sink.drained().then(() => session()?.resume());
      return false;
    },
  };
}

/**
 * Carries the client's input to the program until the program ends, the client goes or types its detach keys.
 *
 * @returns how it ended
 */
export async function connectInput(
  session: Session,
  client: Client,
  options: ConnectOptions,
): Promise<"exited" | "detached" | "gone"> {
  const { promise, resolve } = Promise.withResolvers<"exited" | "detached" | "gone">();
  void session.exited.then(() => resolve("exited"));
  const gone = (): void => resolve("gone");
  if (client.signal.aborted) gone();
  client.signal.addEventListener("abort", gone);
  const { input } = client;
  if (input !== undefined) {
    const scanner = new DetachScanner(options.detachKeys);
    input.on("data", (chunk: Buffer) => {
      const { pass, detached } = scanner.scan(chunk);
      const room = session.write(pass);
      if (detached) resolve("detached");
      else if (!room) {
        input.pause();
        void session.drained().then(() => input.resume());
      }
    });
    input.on("end", () => {
      if (options.endInput) session.endInput();
    });
    input.on("error", gone);
  }
  try {
    return await promise;
  } finally {
    client.signal.removeEventListener("abort", gone);
    input?.removeAllListeners("data");
    session.close();
  }
}
