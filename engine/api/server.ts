/**
 * The engine's door: HTTP over a UNIX socket. A request is matched to a route; what the route throws becomes a
 * status here and nowhere else. Docker's API keeps connections open for minutes (`wait`, `events`, `attach`), so
 * that Node's own limits on the time of a request are off.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { EngineError, messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { takeUpgradeBody } from "./body.ts";
import { Query } from "./query.ts";
import { HttpReply } from "./reply.ts";
import { HttpRequest } from "./request.ts";
import { type Route, Router, splitUrl } from "./router.ts";
import { API_VERSION, parseVersion } from "./version.ts";

/** Clients keep idle connections for 90 s (Go); one that the server closed first costs them an error. */
const KEEP_ALIVE_MS = 120_000;

export interface ServerOptions {
  readonly version: string;
  readonly log: Log;
  /** Called when a request begins, and when it has been handled. */
  readonly onRequest?: () => void;
}

export class ApiServer {
  readonly #router: Router;
  readonly #log: Log;
  readonly #onRequest: () => void;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(routes: readonly Route[], options: ServerOptions) {
    this.#router = new Router(routes);
    this.#log = options.log;
    this.#onRequest = options.onRequest ?? (() => {});
    this.#headers = {
      "Api-Version": API_VERSION,
      "Docker-Experimental": "false",
      Ostype: "linux",
      Server: `Slipway/${options.version} (linux)`,
    };
    this.#server = createServer({
      requireHostHeader: false, // old clients and scripts send none
      requestTimeout: 0, // a build's context or an image may take longer than any limit
      headersTimeout: 60_000,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: 256 * 1024, // X-Registry-Config holds every login
      noDelay: true,
      // Java's client asks for h2c with every request, curl on demand: those are answered as if they had not.
      shouldUpgradeCallback: wantsConnection,
    });
    this.#server.on("request", (message, response) => void this.#serve(message, response));
    this.#server.on(
      "upgrade",
      (message, connection, head) => void this.#serveUpgrade(message, connection, head),
    );
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** Listens on a socket file, which must not exist. Its mode is 0660. */
  async listen(path: string): Promise<void> {
    const mask = process.umask(0o117);
    try {
      this.#server.listen(path); // binds before it returns
    } finally {
      process.umask(mask);
    }
    await once(this.#server, "listening");
  }

  /** Takes no more connections, gives running requests `graceMs` to end, and cuts the rest. Removes the socket file. */
  async close(graceMs: number): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }

  async #serveUpgrade(message: IncomingMessage, connection: Duplex, head: Buffer): Promise<void> {
    connection.on("error", () => {});
    const response = new ServerResponse(message);
    response.shouldKeepAlive = false;
    response.assignSocket(message.socket);
    response.once("finish", () => connection.end());
    let body: Buffer;
    try {
      body = await takeUpgradeBody(message, connection, head);
    } catch (error) {
      new HttpReply(message, response, connection).fail(error);
      return;
    }
    await this.#serve(message, response, { connection, body });
  }

  async #serve(
    message: IncomingMessage,
    response: ServerResponse,
    upgrade?: { readonly connection: Duplex; readonly body: Buffer },
  ): Promise<void> {
    this.#onRequest();
    const began = performance.now();
    const reply = new HttpReply(message, response, upgrade?.connection);
    for (const [name, value] of Object.entries(this.#headers)) response.setHeader(name, value);
    let failure: unknown;
    try {
      const { version, path, search } = splitUrl(message.url ?? "/");
      const spoken = parseVersion(version);
      const match = this.#router.match(message.method ?? "GET", path);
      if (match === undefined) throw new EngineError("notFound", "page not found");
      const request = new HttpRequest({
        message,
        params: match.params,
        query: new Query(search),
        version: spoken,
        ...(upgrade && { body: upgrade.body }),
        isDone: () => response.writableFinished,
      });
      await match.route.handle(request, reply);
    } catch (error) {
      failure =
        error instanceof URIError
          ? new EngineError("invalid", "invalid URL escape", { cause: error })
          : error;
      const status = reply.fail(failure);
      if (status === 200 || reply.isHijacked) {
        // The client has seen success begin; that it was none must be found somewhere.
        this.#log.warn("request broke off", {
          method: message.method,
          url: message.url,
          error: messageOf(failure),
        });
      }
      // A fault of ours, not the client's: the trace is worth its lines.
      if (status === 500 && !(failure instanceof EngineError)) {
        this.#log.error("request failed", {
          method: message.method,
          url: message.url,
          trace: traceOf(failure),
        });
      }
    }
    this.#onRequest();
    this.#log.debug("request", {
      method: message.method,
      url: message.url,
      status: reply.isHijacked ? "hijacked" : response.statusCode,
      ms: Math.round(performance.now() - began),
      error: failure === undefined ? undefined : messageOf(failure),
    });
    // What the route did not read of a body would keep the connection from its next request.
    if (upgrade === undefined && !reply.isHijacked && !message.readableEnded) message.resume();
  }
}

/** Whether a request with an Upgrade header asks for the connection itself. */
function wantsConnection(message: IncomingMessage): boolean {
  const { path } = splitUrl(message.url ?? "/");
  switch (message.headers.upgrade?.toLowerCase()) {
    case "tcp":
      return true;
    case "h2c":
      return path === "/grpc" || path === "/session";
    case "websocket":
      return path.endsWith("/attach/ws");
    default:
      return false;
  }
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
