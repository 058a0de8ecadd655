/** Requests over HTTP/1.1 to one place: a socket file or a port. Connections are kept and used again. */
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Connection, type Request } from "./connection.ts";
import type { Reply } from "./reply.ts";

/** Where an engine listens. */
export type Endpoint = { readonly socketPath: string } | { readonly host: string; readonly port: number };

const MOST_IDLE = 8;

export class HttpClient {
  readonly #endpoint: Endpoint;
  readonly #idle = new Set<Connection>();

  /** @param socket a connection that there is already */
  constructor(endpoint: Endpoint, socket?: Socket) {
    this.#endpoint = endpoint;
    if (socket !== undefined) this.#idle.add(this.#connection(socket));
  }

  /** Lets go of connections that nobody uses. */
  close(): void {
    for (const connection of this.#idle) connection.close();
  }

  /**
   * Resolves when the answer begins.
   *
   * @throws {Error} with a `code` as node:net's errors have, or the signal's reason
   */
  async send(request: Request): Promise<Reply> {
    for (const connection of this.#idle) {
      this.#idle.delete(connection);
      try {
        return (await connection.exchange(request)) as Reply;
      } catch (error) {
        // The engine closed an idle connection as we took it; nothing was done yet.
        if (!connection.wasStale) throw error;
      }
    }
    return (await this.#connect().exchange(request)) as Reply;
  }

  /** Sends a request that asks for the connection itself. @returns that, or the answer that refuses it */
  upgrade(request: Request): Promise<Duplex | Reply> {
    return this.#connect().exchange(request);
  }

  /** A connection that is about to be: its first request may be written at once. */
  #connect(): Connection {
    const endpoint = this.#endpoint;
    const socket = "socketPath" in endpoint ? connect(endpoint.socketPath) : connect({ ...endpoint });
    return this.#connection(socket.setNoDelay(true));
  }

  #connection(socket: Socket): Connection {
    const connection: Connection = new Connection(socket, {
      idle: () => (this.#idle.size < MOST_IDLE ? this.#idle.add(connection) : connection.close()),
      closed: () => this.#idle.delete(connection),
    });
    return connection;
  }
}
