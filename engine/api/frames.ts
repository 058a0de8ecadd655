import type { Duplex } from "node:stream";
import type { OutputSink } from "../containers/streams.ts";

export type StreamName = "stdout" | "stderr";

export const RAW = "application/vnd.docker.raw-stream";
const MULTIPLEXED = "application/vnd.docker.multiplexed-stream";

/** The content type of a program's output; clients before 1.42 know the raw one only. */
export function streamType(version: number, tty: boolean): string {
  return tty || version < 142 ? RAW : MULTIPLEXED;
}

/** A piece of output behind its header: stream, three zeros, length. */
export function frame(stream: StreamName, chunk: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt8(stream === "stdout" ? 1 : 2, 0);
  head.writeUInt32BE(chunk.length, 4);
  return Buffer.concat([head, chunk]);
}

/** Output to a client, as it is for a terminal, else in frames. */
export function sinkOf(connection: Duplex, tty: boolean): OutputSink {
  return {
    write(stream, chunk) {
      if (connection.destroyed || connection.writableEnded) return true;
      return connection.write(tty ? chunk : frame(stream, chunk));
    },
    drained() {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (!connection.writableNeedDrain || connection.destroyed) resolve();
      connection.once("drain", resolve);
      connection.once("close", resolve);
      return promise;
    },
  };
}
