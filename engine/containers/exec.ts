import { randomBytes } from "node:crypto";
import { EngineError } from "../errors.ts";
import type { Session } from "../native/monitor.ts";
import { CAPABILITIES } from "./capabilities.ts";
import { checkpoint } from "./checkpoint.ts";
import type { Container } from "./container.ts";
import { parseDetachKeys } from "./detach-keys.ts";
import { containerEnvironment, overrideEnvironment, withHome } from "./environment.ts";
import type { ProcessSpec } from "./operations.ts";
import { execError, runIn, userFiles } from "./run-in.ts";
import { containerProcess } from "./spec.ts";
import { type Client, connectInput, pacedOutput } from "./streams.ts";
import { emit, type Tools } from "./tools.ts";
import { resolveUser } from "./users.ts";

/** The body of POST /containers/{id}/exec. */
export interface ExecRequest {
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly DetachKeys?: string;
  readonly Tty?: boolean;
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Privileged?: boolean;
  readonly User?: string;
  readonly WorkingDir?: string;
  /** [rows, columns]. */
  readonly ConsoleSize?: readonly [number, number] | null;
}

/** A program that a client runs in a container; known until the container is removed. */
export interface Exec {
  readonly id: string;
  readonly container: Container;
  readonly request: ExecRequest;
  readonly state: "created" | "running" | "exited";
  /** undefined until it has exited. */
  readonly exitCode: number | undefined;
  /** In the engine's pid namespace; 0 before it runs. */
  readonly pid: number;
}

/** Execs that have ended are kept this long at most, as many as this. */
const KEPT = 1000;

/** The exit code of a program that could not be started, as dockerd 26 has it, whatever the reason. */
const NOT_STARTED = 126;

export class Execs {
  readonly #tools: Tools;
  readonly #all = new Map<string, Exec>();
  readonly #sessions = new Map<string, PromiseWithResolvers<Session | undefined>>();

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** @throws {EngineError} conflict if the container does not run or is paused, invalid without a command */
  create(container: Container, request: ExecRequest): Exec {
    const { status } = container.record.state;
    if (status === "paused") {
      throw new EngineError(
        "conflict",
        `Container ${container.name} is paused, unpause the container before exec`,
      );
    }
    if (container.live === undefined) {
      throw new EngineError("conflict", `container ${container.id} is not running`);
    }
    if (request.Cmd == null || request.Cmd.length === 0)
      throw new EngineError("invalid", "No exec command specified");
    checkDetachKeys(request);
    const exec: Exec = {
      id: randomBytes(32).toString("hex"),
      container,
      request,
      state: "created",
      exitCode: undefined,
      pid: 0,
    };
    this.#forgetOld();
    this.#all.set(exec.id, exec);
    this.#sessions.set(exec.id, Promise.withResolvers());
    checkpoint("exec: created");
    emit(this.#tools, container, `exec_create: ${commandLine(request)}`, { execID: exec.id });
    return exec;
  }

  /** @throws {EngineError} notFound */
  find(id: string): Exec {
    const exec = this.#all.get(id);
    if (exec === undefined || !this.#tools.registry.has(exec.container.id)) {
      throw new EngineError("notFound", `No such exec instance: ${id}`);
    }
    return exec;
  }

  /** The ids of a container's execs that run. */
  running(container: Container): readonly string[] {
    return [...this.#all.values()]
      .filter((exec) => exec.container === container && exec.state === "running")
      .map(({ id }) => id);
  }

  /**
   * Starts it and serves the client until it ends; without a client it runs by itself.
   *
   * @throws {EngineError} conflict if it was started before or the container has stopped; invalid, with the words that
   * clients show, if the program cannot be run
   */
  async start(
    exec: Exec,
    client: Client | undefined,
    size: readonly [number, number] | undefined,
  ): Promise<void> {
    const { container, request } = exec;
    if (this.find(exec.id).state !== "created") {
      throw new EngineError("conflict", `Error: Exec command ${exec.id} is already running`);
    }
    this.#set(exec.id, { state: "running" });
    const opening = this.#sessions.get(exec.id);
    let session: Session | undefined;
    let process: ProcessSpec | undefined;
    try {
      process = await this.#process(exec, size);
      const streams = {
        stdin: client !== undefined && request.AttachStdin === true,
        stdout: request.Tty === true || (client !== undefined && request.AttachStdout === true),
        stderr: client !== undefined && request.AttachStderr === true,
      };
      const output = client === undefined ? DISCARD : pacedOutput(client.sink, () => session);
      session = await runIn(container, process, streams, output);
    } catch (error) {
      opening?.resolve(undefined);
      this.#set(exec.id, { state: "exited", exitCode: NOT_STARTED });
      throw execError(error, process);
    }
    checkpoint("exec: program runs");
    this.#set(exec.id, { pid: session.pid });
    emit(this.#tools, container, `exec_start: ${commandLine(request)}`, { execID: exec.id });
    opening?.resolve(session);
    const recorded = session.exited.then((exit) => this.#ended(exec, exit?.code ?? NOT_STARTED));
    if (client === undefined) return;
    const input = request.AttachStdin === true ? client.input : undefined;
    const detachKeys = request.Tty === true ? detachKeysOf(request) : new Uint8Array();
    const how = await connectInput(session, { ...client, input }, { endInput: true, detachKeys });
    // Clients ask for the exit code as soon as the stream ends.
    if (how === "exited") await recorded;
    else if (how === "detached") emit(this.#tools, container, "exec_detach", { execID: exec.id });
  }

  /** Waits for the program where the client was faster. @throws {EngineError} conflict if it could not be started */
  async resize(exec: Exec, rows: number, columns: number): Promise<void> {
    const session = await this.#sessions.get(exec.id)?.promise;
    if (session === undefined) throw new EngineError("conflict", `exec ${exec.id} is not running`);
    session.resize(rows, columns);
  }

  #ended(exec: Exec, exitCode: number): void {
    this.#set(exec.id, { state: "exited", exitCode });
    emit(this.#tools, exec.container, "exec_die", { execID: exec.id, exitCode: String(exitCode) });
  }

  #set(id: string, change: Partial<Exec>): void {
    const exec = this.#all.get(id);
    if (exec !== undefined) this.#all.set(id, { ...exec, ...change });
  }

  async #process(exec: Exec, size: readonly [number, number] | undefined): Promise<ProcessSpec> {
    const { container, request } = exec;
    const { record } = container;
    const files = await userFiles(this.#tools, container, request.User ?? "");
    const base = containerProcess(this.#tools, record, files);
    const groups = request.User ? [] : (record.hostConfig.GroupAdd ?? []);
    const user = resolveUser(request.User || (record.config.User ?? ""), files.passwd, files.group, groups);
    const known = { hostname: record.config.Hostname ?? "", tty: request.Tty === true };
    const inherited = containerEnvironment(record.config.Env ?? [], known);
    const privileged = request.Privileged === true;
    if (request.WorkingDir && !request.WorkingDir.startsWith("/")) {
      throw new EngineError(
        "invalid",
        "OCI runtime exec failed: exec failed: Cwd must be an absolute path: unknown",
      );
    }
    const [rows, columns] = size ?? request.ConsoleSize ?? [0, 0];
    return {
      ...base,
      argv: request.Cmd ?? [],
      env: withHome(overrideEnvironment(inherited, request.Env ?? []), user.home),
      cwd: request.WorkingDir || base.cwd,
      user,
      // As Docker's: all capabilities, and the container's own filter of system calls.
      ...(privileged
        ? {
            capabilities: CAPABILITIES.filter((name) => this.#tools.host.capabilities.has(name)),
          }
        : {}),
      terminal: request.Tty === true ? { rows, columns } : undefined,
      init: false,
      keyring: undefined,
    };
  }

  #forgetOld(): void {
    if (this.#all.size < KEPT) return;
    for (const [id, exec] of this.#all) {
      if (exec.state !== "exited") continue;
      this.#all.delete(id);
      this.#sessions.delete(id);
      if (this.#all.size < KEPT) return;
    }
  }
}

/** The program, a blank and its arguments, also where there are none: Docker's events are compared as texts. */
function commandLine({ Cmd }: ExecRequest): string {
  const [program = "", ...args] = Cmd ?? [];
  return `${program} ${args.join(" ")}`;
}

const DISCARD = { data: () => true };

function checkDetachKeys(request: ExecRequest): void {
  try {
    detachKeysOf(request);
  } catch (cause) {
    throw new EngineError("invalid", `Invalid escape keys (${request.DetachKeys}) provided`, { cause });
  }
}

function detachKeysOf(request: ExecRequest): Uint8Array {
  return parseDetachKeys(request.DetachKeys ?? "");
}
