import type { Duplex } from "node:stream";
import { messageOf } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { BuildkitControl, type ControlDeps } from "./control.ts";
import { serveGrpc } from "./grpc.ts";
import { Sessions } from "./sessions.ts";

export type BuildkitDeps = Omit<ControlDeps, "sessions"> & { readonly log: Log };

/** What `/grpc` and `/session` do with the connections that they were given. */
export class BuildkitService {
  readonly #sessions = new Sessions();
  readonly #control: BuildkitControl;
  readonly #log: Log;

  constructor(deps: BuildkitDeps) {
    this.#control = new BuildkitControl({ ...deps, sessions: this.#sessions });
    this.#log = deps.log;
  }

  serve(connection: Duplex): void {
    serveGrpc(connection, this.#control.methods(), (path, error) =>
      this.#log.debug("grpc call failed", { path, error: messageOf(error) }),
    );
  }

  /** @param methods that the client answers, by their paths */
  keepSession(id: string, methods: readonly string[], connection: Duplex): Promise<void> {
    return this.#sessions.run(id, methods, connection);
  }
}
