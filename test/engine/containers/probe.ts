import type { EngineClient } from "../../../src/client/client.ts";

/** What a container that ran to its end left to see. */
export interface Finished {
  readonly code: number;
  /** stdout and stderr, as they came. */
  readonly output: string;
}

/** Options of create; `Image` is busybox unless given. */
export type Options = Omit<Parameters<EngineClient["createContainer"]>[0], "Image"> & {
  readonly Image?: string;
};

/** Runs a container to its end, and removes it. */
export async function runToEnd(client: EngineClient, options: Options): Promise<Finished> {
  const { Id } = await client.createContainer({ Image: "busybox", ...options });
  try {
    await client.startContainer(Id);
    const { StatusCode } = await client.waitContainer(Id);
    let output = "";
    for await (const { data } of client.logs(Id, { stdout: true, stderr: true })) output += data.toString();
    return { code: StatusCode, output };
  } finally {
    await client.removeContainer(Id, { force: true, volumes: true });
  }
}

/** Runs named shell lines in one container. Gives what each printed, without the last newline. */
export async function probe<K extends string>(
  client: EngineClient,
  lines: Readonly<Record<K, string>>,
  options: Options = {},
): Promise<Readonly<Record<K, string>>> {
  const script = Object.entries<string>(lines)
    .map(([name, line]) => `echo "=== ${name}"; { ${line}\n} 2>&1`)
    .join("\n");
  const { output } = await runToEnd(client, { Cmd: ["sh", "-c", script], ...options });
  const parts = output.split(/^=== (.*)\n/m).slice(1);
  const found = Object.fromEntries(
    Array.from({ length: parts.length / 2 }, (_, index) => [
      parts[2 * index],
      parts[2 * index + 1]?.trimEnd(),
    ]),
  );
  return found as Readonly<Record<K, string>>;
}
