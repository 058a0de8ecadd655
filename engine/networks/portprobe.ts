/** Whether a port of the machine can be had, before a container is made that needs it. */
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { getSystemErrorName } from "node:util";
import type { Protocol } from "./firewall.ts";

/** Returns the code of the error that binding the port gives, such as EADDRINUSE; undefined if it is free. */
export type PortProbe = (protocol: Protocol, address: string, port: number) => Promise<string | undefined>;

/** Binds the port for a moment, as the monitor will do. */
export const probePort: PortProbe = (protocol, host, port) => {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const failed = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.message);
  const ipv6Only = host.includes(":");
  if (protocol === "tcp") {
    const server = createServer().once("error", failed);
    server.listen({ host, port, ipv6Only, exclusive: true }, () => server.close(() => resolve(undefined)));
  } else if (protocol === "udp") {
    const socket = createSocket({ type: ipv6Only ? "udp6" : "udp4", ipv6Only }).once("error", failed);
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(undefined)));
  } else resolve(undefined);
  return promise;
};

/**
 * Has a rootless engine's process in the machine's network bind it. The socket that it hands over is closed with the
 * connection.
 *
 * @param socket where that process listens; see native/outside.c: `e` and an errno of 4 bytes is its answer to a failure
 */
export function probeOutside(socket: string): PortProbe {
  return (protocol, address, port) => {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    if (protocol === "sctp") return Promise.resolve(undefined);
    const connection = connect(socket, () => connection.write(`${protocol} ${address} ${port}`));
    const received: Buffer[] = [];
    connection.on("data", (chunk: Buffer) => received.push(chunk));
    connection.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    connection.on("close", () => {
      const answer = Buffer.concat(received);
      resolve(
        answer[0] === 0x65 && answer.length >= 5 ? getSystemErrorName(-answer.readUInt32LE(1)) : undefined,
      );
    });
    return promise;
  };
}
