/**
 * Takes a connection away from HTTP, so that it carries the bytes of a process: `docker attach`, `docker exec`.
 * Docker has two forms. With `Upgrade: tcp` the answer is 101; without it, as dockerode asks, it is a 200 that has
 * neither a length nor chunks, and yet bytes go both ways.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

const RAW_STREAM = "application/vnd.docker.raw-stream";

/** Answers 101 on a connection that Node has already let go of. */
export function acceptUpgrade(
  connection: Duplex,
  request: IncomingMessage,
  contentType: string,
  headers: Readonly<Record<string, string>>,
): Duplex {
  const upgrade = request.headers.upgrade ?? "tcp";
  const lines = ["HTTP/1.1 101 UPGRADED"];
  if (upgrade.toLowerCase() === "tcp") lines.push(`Content-Type: ${contentType}`);
  lines.push("Connection: Upgrade", `Upgrade: ${upgrade}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  connection.write(`${lines.join("\r\n")}\r\n\r\n`);
  connection.on("error", ignore);
  return connection;
}

/**
 * Answers a plain request with 200 and takes its connection from Node's HTTP server.
 *
 * @param request its body has been read to the end
 */
export function takeConnection(request: IncomingMessage, response: ServerResponse): Duplex {
  const socket = request.socket as Socket;
  response.detachSocket(socket);
  // "close" stays: by it the server frees the parser. The others would feed what comes next to that parser.
  for (const event of ["data", "end", "drain", "timeout", "error"]) socket.removeAllListeners(event);
  // The parser reads from the socket's handle, past the stream, until somebody listens for data. Pausing earlier
  // would stop the handle for good.
  socket.on("data", ignore).off("data", ignore).pause();
  socket.on("error", ignore);
  socket.setTimeout(0);
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${RAW_STREAM}\r\n\r\n`);
  return socket;
}

/** A client that is gone is seen by the end and close of its connection, not by the error. */
function ignore(): void {}
