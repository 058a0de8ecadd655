/** SSH agents of a client: sockets of ours, each connection of which the client's session carries to its agent. */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { GrpcError } from "./grpc.ts";
import { AgentRequest, Bytes, Empty } from "./messages.ts";
import type { BuildSession } from "./sessions.ts";

const CHECK = "/moby.sshforward.v1.SSH/CheckAgent";
const FORWARD = "/moby.sshforward.v1.SSH/ForwardAgent";

export class Agents implements AsyncDisposable {
  readonly #session: BuildSession;
  readonly #parent: string;
  readonly #open = new Map<string, Promise<string | undefined>>();
  readonly #servers: Server[] = [];
  #directory: string | undefined;

  /** @param parent an existing directory of ours */
  constructor(session: BuildSession, parent: string) {
    this.#session = session;
    this.#parent = parent;
  }

  /** The socket for one agent. @returns undefined where the client has none of that name */
  find(id: string): Promise<string | undefined> {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const opened = this.#listen(id);
    this.#open.set(id, opened);
    return opened;
  }

  async #listen(id: string): Promise<string | undefined> {
    if (!this.#session.methods.has(CHECK) || !(await has(this.#session, id))) return undefined;
    this.#directory ??= mkdtempSync(join(this.#parent, "ssh-"));
    const socket = join(this.#directory, String(this.#servers.length));
    const server = createServer((connection) => void forward(this.#session, id, connection));
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(socket, resolve);
    });
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server.close();
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true, force: true });
  }
}

async function has(session: BuildSession, id: string): Promise<boolean> {
  try {
    await session.client.call(CHECK, AgentRequest, Empty, { id });
    return true;
  } catch (error) {
    if (error instanceof GrpcError) return false;
    throw error;
  }
}

/** Both ways, until either side ends. A lost client ends the connection, which the program in the step sees. */
async function forward(session: BuildSession, id: string, connection: Socket): Promise<void> {
  const call = session.client.open(FORWARD, { "buildkit.ssh.id": id });
  connection.on("error", () => call.end());
  connection.on("end", () => call.end());
  connection.on("data", (data: Buffer) => {
    connection.pause();
    call.send(Bytes.encode({ data })).then(
      () => connection.resume(),
      () => connection.destroy(),
    );
  });
  try {
    for await (const message of call.messages) connection.write(Bytes.decode(message).data);
    connection.end();
  } catch {
    connection.destroy();
  }
}
