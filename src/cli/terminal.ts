import type { TerminalSize } from "../client/types/common.ts";
import type { Attachment } from "../client/types/streams.ts";

/**
 * Joins the terminal (or pipes) of this process with the streams of one in a container. Returns when its output ends.
 *
 * @param options.tty the program has a terminal of its own: ours becomes raw, so that keys and Ctrl-C go to it
 * @param options.onResize told the size at the start and whenever it changes
 */
export async function joinStreams(
  attachment: Attachment,
  options: {
    readonly stdin: boolean;
    readonly tty: boolean;
    onResize?(size: TerminalSize): Promise<void>;
  },
): Promise<void> {
  const { stdin, stdout, stderr } = process;
  const raw = options.tty && options.stdin && stdin.isTTY;
  const resize = (): void => {
    const size = terminalSize();
    // A program that has just ended has no size any more.
    if (size) void options.onResize?.(size).catch(() => undefined);
  };
  if (raw) stdin.setRawMode(true);
  if (options.tty && stdout.isTTY) {
    resize();
    stdout.on("resize", resize);
  }
  if (options.stdin) stdin.pipe(attachment.connection);
  else attachment.connection.end();
  // The other side may close while we still write: then nobody reads any more.
  attachment.connection.on("error", () => undefined);
  try {
    for await (const { stream, data } of attachment.output) {
      const target = stream === "stderr" ? stderr : stdout;
      if (!target.write(data)) await new Promise((resolve) => target.once("drain", resolve));
    }
  } finally {
    stdin.unpipe(attachment.connection);
    stdin.pause();
    stdout.off("resize", resize);
    if (raw) stdin.setRawMode(false);
  }
}

export function terminalSize(): TerminalSize | undefined {
  const { rows, columns } = process.stdout;
  return process.stdout.isTTY && rows > 0 && columns > 0 ? { rows, columns } : undefined;
}

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/** Passes signals to this process on to a program elsewhere, until the returned function is called. */
export function forwardSignals(send: (signal: string) => void): () => void {
  const handlers = FORWARDED.map((signal) => [signal, () => send(signal)] as const);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
