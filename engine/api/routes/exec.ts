import type { Containers } from "../../containers/containers.ts";
import type { Exec, ExecRequest } from "../../containers/exec.ts";
import { EngineError, messageOf } from "../../errors.ts";
import { RAW, sinkOf, streamType } from "../frames.ts";
import type { ApiRequest, Reply, Route } from "../router.ts";
import { closeOf, terminalSize } from "./containers.ts";

/** The body of POST /exec/{id}/start. */
interface ExecStart {
  readonly Detach?: boolean;
  readonly Tty?: boolean;
  /** [rows, columns]. */
  readonly ConsoleSize?: readonly [number, number] | null;
}

/** Programs that are run in containers beside their own. */
export function execRoutes({ containers }: { readonly containers: Containers }): Route[] {
  const { execs } = containers;
  return [
    {
      method: "POST",
      path: "/containers/{id}/exec",
      async handle(request, reply) {
        const body = await request.json<ExecRequest>();
        reply.json(201, { Id: execs.create(containers.find(request.params["id"] ?? ""), body).id });
      },
    },
    {
      method: "POST",
      path: "/exec/{id}/start",
      handle: (request, reply) => start(containers, request, reply),
    },
    {
      method: "POST",
      path: "/exec/{id}/resize",
      async handle(request, reply) {
        const exec = execs.find(request.params["id"] ?? "");
        const { rows, columns } = terminalSize(request);
        await execs.resize(exec, rows, columns);
        reply.empty(200);
      },
    },
    {
      method: "GET",
      path: "/exec/{id}/json",
      async handle({ params }, reply) {
        reply.json(200, execShape(execs.find(params["id"] ?? "")));
      },
    },
  ];
}

async function start(containers: Containers, request: ApiRequest, reply: Reply): Promise<void> {
  const body = await request.json<ExecStart>({});
  const exec = containers.execs.find(request.params["id"] ?? "");
  const size = body.ConsoleSize ?? undefined;
  const { AttachStdin, AttachStdout, AttachStderr, Tty = false } = exec.request;
  if (exec.container.record.state.status === "paused") {
    throw new EngineError(
      "conflict",
      `Container ${exec.container.id} is paused, unpause the container before exec`,
    );
  }
  if (body.Detach === true || !(AttachStdin || AttachStdout || AttachStderr)) {
    await containers.execs.start(exec, undefined, size);
    reply.empty(200);
    return;
  }
  const connection = await reply.hijack(Tty ? RAW : streamType(request.version, Tty));
  const sink = sinkOf(connection, Tty);
  try {
    await containers.execs.start(exec, { sink, input: connection, signal: closeOf(connection) }, size);
  } catch (error) {
    // The status line is gone: the client shows what comes on the stream.
    sink.write("stdout", Buffer.from(`${messageOf(error)}\r\n`));
  } finally {
    connection.end();
  }
}

export function execShape(exec: Exec) {
  const { request, container } = exec;
  const [entrypoint = "", ...args] = request.Cmd ?? [];
  return {
    ID: exec.id,
    Running: exec.state === "running",
    ExitCode: exec.exitCode ?? null,
    ProcessConfig: {
      tty: request.Tty ?? false,
      entrypoint,
      arguments: args,
      privileged: request.Privileged ?? false,
      ...(request.User ? { user: request.User } : {}),
    },
    OpenStdin: request.AttachStdin ?? false,
    OpenStderr: request.AttachStderr ?? false,
    OpenStdout: request.AttachStdout ?? false,
    CanRemove: exec.state === "exited",
    ContainerID: container.id,
    DetachKeys: request.DetachKeys ?? "",
    Pid: exec.pid,
  };
}
