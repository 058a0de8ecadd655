/** `exec`: a further program in a container. */
import { readFile, writeFile } from "node:fs/promises";
import { cgroupDirectories } from "../containers/cgroups/operations.ts";
import type { Host } from "../containers/host.ts";
import { EngineError } from "../errors.ts";
import { Monitor, type Session } from "../native/monitor.ts";
import { processOfBundle } from "./compile.ts";
import type { OciProcess } from "./config.ts";
import { cannotRun } from "./failures.ts";
import { cgroupPath } from "./group.ts";
import { join } from "./launch.ts";
import type { OciRecord } from "./state.ts";
import { carry } from "./stdio.ts";

export interface ExecOptions {
  /** A file with the specification's `process`; without it the container's own, with the changes below. */
  readonly processFile: string | undefined;
  readonly args: readonly string[];
  readonly terminal: boolean;
  readonly cwd: string | undefined;
  /** `UID[:GID]`. */
  readonly user: string | undefined;
  readonly additionalGids: readonly number[];
  readonly env: readonly string[];
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly pidFile: string | undefined;
  readonly consoleSocket: string | undefined;
  readonly preserved: number;
}

/**
 * Starts a program that becomes a child of this process, and with it of who waits for what this process leaves.
 *
 * @throws {EngineError} invalid for a terminal that nobody takes; {NativeError} if it cannot be run
 */
export async function execDetached(
  record: OciRecord,
  options: ExecOptions,
  tools: { readonly host: Host; readonly program: string },
): Promise<void> {
  const process_ = await processOf(record, options);
  const consoleSocket = options.consoleSocket ?? "";
  if (process_.terminal && consoleSocket === "") {
    throw new EngineError(
      "invalid",
      "cannot allocate tty if runc will detach without setting console socket",
    );
  }
  const { cgroups } = tools.host;
  const { preserved } = options;
  const started = join(tools.program, preserved, [
    { op: "join", pid: record.life.pid, userNamespace: hasUserNamespace(record), consoleSocket, preserved },
    ...cgroupDirectories(cgroups, cgroupPath(record.config, record.id)).map(
      (path) => ({ op: "cgroup", path }) as const,
    ),
    ...processOfBundle(process_, record.config.linux?.seccomp, tools.host, undefined),
  ]);
  const pid = await started.catch((error) => {
    throw cannotRun(process_, error);
  });
  if (options.pidFile !== undefined) await writeFile(options.pidFile, String(pid));
}

/**
 * Runs a program to its end, with this process's stdio.
 *
 * @returns its exit status
 * @throws {NativeError} if it cannot be run
 */
export async function execIn(
  record: OciRecord,
  runDir: string,
  options: ExecOptions,
  host: Host,
): Promise<number> {
  const process_ = await processOf(record, options);
  const ops = processOfBundle(process_, record.config.linux?.seccomp, host, undefined);
  const monitor = await Monitor.open(runDir);
  try {
    const streams = { stdin: true, stdout: true, stderr: true } as const;
    return await carry(process_.terminal ?? false, async (output) => {
      const started = monitor.exec([...ops, { op: "streams", ...streams }], output);
      const session: Session = await started.catch((error) => {
        throw cannotRun(process_, error);
      });
      if (options.pidFile !== undefined) await writeFile(options.pidFile, String(session.pid));
      return session;
    });
  } finally {
    monitor.close();
  }
}

async function processOf(record: OciRecord, options: ExecOptions): Promise<OciProcess> {
  if (options.processFile !== undefined) {
    return JSON.parse(await readFile(options.processFile, "utf8")) as OciProcess;
  }
  const own = record.config.process;
  if (own === undefined) throw new EngineError("invalid", "the container has no process to take after");
  const { capabilities = {} } = own;
  const added = (set: readonly string[] = []): readonly string[] => [
    ...new Set([...set, ...options.capabilities]),
  ];
  return {
    ...own,
    terminal: options.terminal,
    args: options.args,
    env: [...(own.env ?? []), ...options.env],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    user: userOf(own, options),
    noNewPrivileges: options.noNewPrivileges || (own.noNewPrivileges ?? false),
    capabilities: {
      ...capabilities,
      bounding: added(capabilities.bounding),
      effective: added(capabilities.effective),
      permitted: added(capabilities.permitted),
    },
  };
}

function userOf(own: OciProcess, options: ExecOptions): NonNullable<OciProcess["user"]> {
  const { user = {} } = own;
  const additionalGids = [...(user.additionalGids ?? []), ...options.additionalGids];
  if (options.user === undefined) return { ...user, additionalGids };
  const [uid, gid] = /^(\d+)(?::(\d+))?$/.exec(options.user)?.slice(1) ?? [];
  if (uid === undefined) throw new EngineError("invalid", `--user ${options.user} is no UID[:GID]`);
  return { ...user, uid: Number(uid), ...(gid === undefined ? {} : { gid: Number(gid) }), additionalGids };
}

function hasUserNamespace({ config }: OciRecord): boolean {
  return config.linux?.namespaces?.some(({ type, path }) => type === "user" && !path) ?? false;
}
