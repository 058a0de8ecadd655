import { EngineError } from "../errors.ts";
import { NativeError } from "../native/connection.ts";
import type { Output, Session } from "../native/monitor.ts";
import type { ProcessOp } from "../native/protocol.ts";
import type { Container, UserFiles } from "./container.ts";
import { whyNotStarted } from "./launcher.ts";
import { type ProcessSpec, processOps } from "./operations.ts";
import type { Tools } from "./tools.ts";
import { containerTree } from "./tree.ts";

/** The user data bases of a container for who runs as this user: as they are now if it is a name, else as they were. */
export async function userFiles(tools: Tools, container: Container, user: string): Promise<UserFiles> {
  const known = container.live?.users;
  if (known !== undefined && /^[\d:]*$/.test(user)) return known;
  const tree = containerTree(tools, container);
  const read = (path: string): Promise<Uint8Array> =>
    tools.workers
      .read(tree, path, LIMIT)
      // A container without the file, or with a directory or FIFO in its place, knows numbers only.
      .catch(() => new Uint8Array());
  const [passwd, group] = await Promise.all([read("/etc/passwd"), read("/etc/group")]);
  return { passwd, group };
}

/** Starts a program beside the container's own, with the given streams. */
export function runIn(
  container: Container,
  process: ProcessSpec,
  streams: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean },
  output: Output,
): Promise<Session> {
  const { live } = container;
  if (live === undefined) throw new EngineError("conflict", `container ${container.id} is not running`);
  const ops: ProcessOp[] = [...processOps(process), { op: "streams", ...streams }];
  return live.monitor.exec(ops, output);
}

const LIMIT = 4 << 20;

/**
 * Why a program could not be run in a container, in the words that clients show and search for; any other error as it is.
 *
 * @param process undefined where it did not come so far
 */
export function execError(error: unknown, process: ProcessSpec | undefined): unknown {
  if (!(error instanceof NativeError) || process === undefined) return error;
  const text = `OCI runtime exec failed: exec failed: unable to start container process: ${whyNotStarted(error, process)}: unknown`;
  return new EngineError("invalid", text, { cause: error });
}
