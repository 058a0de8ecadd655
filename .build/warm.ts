/** An engine that has nothing and does nothing, so that the build can run commands which talk to one. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface EmptyEngine extends Disposable {
  /** For SLIPWAY_HOST. */
  readonly host: string;
}

export async function emptyEngine(): Promise<EmptyEngine> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-warm-"));
  const socket = join(directory, "engine.sock");
  const server = createServer((request, response) => {
    request.resume().on("end", () => answer(request, response));
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(socket, resolve));
  return {
    host: `unix://${socket}`,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
      rmSync(directory, { recursive: true });
    },
  };
}

const VERSION = {
  Version: "0",
  ApiVersion: "1.45",
  MinAPIVersion: "1.24",
  Os: "linux",
  Arch: "amd64",
  Components: [{ Name: "Slipway", Version: "0", Details: { Features: "build" } }],
};

function answer({ url = "" }: IncomingMessage, response: ServerResponse): void {
  const path = url.replace(/^\/v[\d.]+/, "").replace(/\?.*/, "");
  const bodies: Readonly<Record<string, unknown>> = {
    "/version": VERSION,
    "/containers/json": [],
    "/networks": [],
    "/volumes": { Volumes: [], Warnings: null },
    "/images/json": [],
    "/slipway/v1/build": { aux: { ID: `sha256:${"0".repeat(64)}` } },
  };
  const body = bodies[path];
  response.statusCode = body === undefined ? 404 : 200;
  response.end(`${JSON.stringify(body ?? { message: `no ${path}` })}\n`);
}
