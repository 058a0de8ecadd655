import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Context } from "../context.ts";
import { toJson } from "../model/render.ts";
import type { Project, Service } from "../model/types.ts";
import { readMetadata } from "./metadata.ts";
import { failure, findProgram } from "./program.ts";

export type ProviderCommand = "up" | "down" | "stop";

/** What is said at the beginning and the end. */
const WORDS: Readonly<Record<ProviderCommand, readonly [string, string]>> = {
  up: ["provider working", "provided"],
  down: ["provider removing", "removed"],
  stop: ["provider stopping", "stopped"],
};

/**
 * Has the provider of a service bring up, stop or take down what the service stands for: its program is called as
 * `PROGRAM compose --project-name=PROJECT up --OPTION=VALUE SERVICE` and answers in lines of JSON.
 *
 * @returns variables for the services that depend on it, with the service's name before those that are not `rawsetenv`
 * @throws {AppError} PROVIDER_FAILED
 * @see docker/compose docs/extension.md
 */
export async function runProvider(
  project: Project,
  service: Service,
  command: ProviderCommand,
  context: Context,
): Promise<Readonly<Record<string, string>>> {
  const program = await findProgram(project, service);
  const env = { ...project.environment, DOCKER_HOST: context.engine.address };
  const takes = await readMetadata(program, command, env);
  if (!takes) return {};
  const options = Object.entries(service.provider!.options ?? {})
    .filter(([key]) => takes.option(key))
    .flatMap(([key, values]) => values.map((value) => `--${key}=${value}`));
  const lacking = takes.required.find((key) => service.provider!.options?.[key] === undefined);
  if (lacking !== undefined)
    throw failure(
      project,
      service,
      `its provider needs the option ${lacking}`,
      "Add it to provider.options.",
    );

  const say = (phase: "working" | "done" | "failed", text: string): void =>
    context.report.on({ subject: "container", id: service.name, phase, text });
  say("working", WORDS[command][0]);
  const child = spawn(
    program,
    ["compose", `--project-name=${project.name}`, command, ...options, service.name],
    { env, stdio: ["pipe", "pipe", "pipe"], signal: context.signal },
  );
  const ended = once(child, "close") as Promise<[number | null]>;
  ended.catch(() => undefined); // Awaited below, after its lines.
  child.stdin.on("error", () => undefined); // It need not read what it is told.
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-4096);
  });
  try {
    const session = new Session(project, service, (text) => say("working", text));
    for await (const line of createInterface({ input: child.stdout })) {
      const answer = session.take(line);
      if (answer !== undefined) child.stdin.write(answer);
    }
    const [status] = await ended;
    if (status !== 0)
      throw failure(project, service, errors.trim() || `its provider ended with ${status ?? "a signal"}`);
    say("done", WORDS[command][1]);
    return session.variables;
  } catch (error) {
    child.kill();
    child.stdout.destroy(); // What it has started itself may hold on to it.
    child.stderr.destroy();
    context.signal.throwIfAborted();
    say("failed", "failed");
    throw error;
  }
}

/** What a provider says, line by line. */
class Session {
  readonly variables: Record<string, string> = {};
  readonly #project: Project;
  readonly #service: Service;
  readonly #inform: (text: string) => void;

  constructor(project: Project, service: Service, inform: (text: string) => void) {
    this.#project = project;
    this.#service = service;
    this.#inform = inform;
  }

  /** @returns what is to be written to it */
  take(line: string): string | undefined {
    if (line.trim() === "") return undefined;
    const { type, message } = this.#parse(line);
    switch (type) {
      case "info":
        this.#inform(message.split("\n")[0]!);
        return undefined;
      case "debug":
        return undefined;
      case "setenv":
      case "rawsetenv": {
        const equals = message.indexOf("=");
        if (equals < 0)
          throw failure(this.#project, this.#service, `its provider set "${message}", without a value`);
        const prefix = type === "setenv" ? variablePrefix(this.#service.name) : "";
        this.variables[prefix + message.slice(0, equals)] = message.slice(equals + 1);
        return undefined;
      }
      case "get-service-config":
        return `${toJson(this.#service).replaceAll(/\n\s*/g, "")}\n`;
      case "error":
        throw failure(this.#project, this.#service, message);
      default:
        throw failure(this.#project, this.#service, `its provider said "${type}", which nobody knows`);
    }
  }

  #parse(line: string): { readonly type: string; readonly message: string } {
    try {
      const { type, message = "" } = JSON.parse(line) as {
        readonly type?: string;
        readonly message?: string;
      };
      return { type: String(type), message: String(message) };
    } catch {
      throw failure(this.#project, this.#service, `its provider said what is no JSON: ${line.slice(0, 200)}`);
    }
  }
}

/** `my-db` sets `MY-DB_URL` for those that depend on it, as docker compose names it. */
export const variablePrefix = (service: string): string => `${service.toUpperCase()}_`;
