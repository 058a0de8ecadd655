/** This process's stdio, carried to and from a program whose stdio a monitor has. */
import { ReadStream } from "node:tty";
import type { Output, Session } from "../native/monitor.ts";

/**
 * Carries all three streams until the program ends; a terminal is raw meanwhile, and of the size of ours.
 *
 * @param open starts the program, or attaches to it
 * @returns its exit status; 255 if nobody can tell
 */
export async function carry(terminal: boolean, open: (output: Output) => Promise<Session>): Promise<number> {
  let session: Session | undefined;
  session = await open({
    data(stream, chunk) {
      if (process[stream].write(chunk)) return true;
      process[stream].once("drain", () => session?.resume());
      return false;
    },
  });
  const restore = terminal ? beRaw(session) : undefined;
  carryInput(session);
  try {
    return (await session.exited)?.code ?? 255;
  } finally {
    restore?.();
    session.close();
    process.stdin.destroy();
  }
}

function beRaw(session: Session): () => void {
  const resize = (): void => {
    const [columns, rows] = process.stdout.isTTY ? process.stdout.getWindowSize() : [0, 0];
    if (rows > 0) session.resize(rows, columns);
  };
  const { stdin } = process;
  if (stdin instanceof ReadStream) stdin.setRawMode(true);
  resize();
  process.stdout.on("resize", resize);
  return () => {
    if (stdin instanceof ReadStream) stdin.setRawMode(false);
  };
}

function carryInput(session: Session): void {
  process.stdin.on("data", (chunk: Buffer) => {
    if (session.write(chunk)) return;
    process.stdin.pause();
    void session.drained().then(() => process.stdin.resume());
  });
  process.stdin.on("end", () => session.endInput());
  process.stdin.on("error", () => session.endInput());
}
