import { chmod, chown } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { MountPlan } from "../plan/types.ts";
import type { StepTools } from "./types.ts";

/** A socket that a step may use. */
export interface OpenAgent {
  readonly socket: string;
  close(): Promise<void>;
}

/**
 * An agent's socket for a step. The agent's own stays as it is: where the mount has an owner or mode, a socket of ours
 * has them, and carries every connection on.
 */
export async function openAgent(
  { uid, gid, mode }: Pick<MountPlan, "uid" | "gid" | "mode">,
  socket: string,
  { scratch }: Pick<StepTools, "scratch">,
): Promise<OpenAgent> {
  if (uid === undefined && gid === undefined && mode === undefined)
    return { socket, close: () => Promise.resolve() };
  const path = join(await scratch(), "agent");
  const open = new Set<Socket>();
  const server = createServer((inner) => {
    const outer = connect(socket);
    for (const [one, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => open.delete(one));
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  await chown(path, uid ?? 0, gid ?? 0);
  await chmod(path, mode ?? 0o600);
  return {
    socket: path,
    close: async () => {
      for (const each of open) each.destroy();
      server.close();
    },
  };
}
