import type { EngineClient } from "../client/client.ts";
import { isMissing } from "../client/failures.ts";
import type { ContainerInspect } from "../client/types/containers.ts";
import type { EngineEvent } from "../client/types/system.ts";
import { AppError } from "../errors.ts";
import { LABEL, projectFilter } from "../labels.ts";
import type { Project } from "../model/types.ts";
import { exitFailure, healthFailure } from "./lastwords.ts";

/** started: it runs · healthy: its probe says so · completed: it has exited with 0 · ready: whichever of them fits. */
export type Awaited = "service_started" | "service_healthy" | "service_completed_successfully" | "ready";

/**
 * Waits for services by the engine's events, never by asking again and again: each event about a container of the
 * project is a reason to look at it once.
 */
export class Readiness {
  readonly #project: Project;
  readonly #engine: EngineClient;
  readonly #signal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<(event: EngineEvent) => void>();
  #subscribed: Promise<void> | undefined;

  constructor(project: Project, engine: EngineClient, signal: AbortSignal) {
    this.#project = project;
    this.#engine = engine;
    this.#signal = signal;
  }

  /**
   * Resolves when every container of the service is as awaited.
   *
   * @param only this container of the service, by name or id
   * @returns what was found: `healthy`, `completed`, `running`
   * @throws {AppError} SERVICE_UNHEALTHY or SERVICE_EXITED, with the service's last words; INTERRUPTED
   */
  async wait(service: string, awaited: Awaited, only?: string): Promise<string> {
    await this.#subscribe();
    let wake: () => void = () => {};
    let woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const onEvent = ({ Actor }: EngineEvent): void => {
      if (Actor.Attributes[LABEL.service] === service) wake();
    };
    const onAbort = (): void => wake();
    this.#waiting.add(onEvent);
    this.#signal.addEventListener("abort", onAbort);
    try {
      for (;;) {
        this.#signal.throwIfAborted();
        const state = await this.#look(service, awaited, only);
        if (state !== undefined) return state;
        await woken;
        woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      this.#waiting.delete(onEvent);
      this.#signal.removeEventListener("abort", onAbort);
    }
  }

  close(): void {
    this.#stop.abort();
  }

  /** The state when all containers have it, undefined while one has not. */
  async #look(service: string, awaited: Awaited, only: string | undefined): Promise<string | undefined> {
    if (only !== undefined)
      return await this.#judge(service, await this.#engine.inspectContainer(only), awaited);
    const filters = {
      label: [
        ...projectFilter(this.#project.name).label,
        `${LABEL.service}=${service}`,
        `${LABEL.oneoff}=False`,
      ],
    };
    const found = await this.#engine.listContainers({ all: true, filters });
    const states = await Promise.all(
      found.map(async ({ Id }) => {
        const container = await this.#engine.inspectContainer(Id).catch((error: unknown) => {
          if (isMissing(error)) return undefined; // Removed since the list was made.
          throw error;
        });
        return container === undefined ? "gone" : this.#judge(service, container, awaited);
      }),
    );
    return states.every((state) => state !== undefined)
      ? (states.find((state) => state !== "gone") ?? "running")
      : undefined;
  }

  async #judge(service: string, container: ContainerInspect, awaited: Awaited): Promise<string | undefined> {
    const { State: state } = container;
    const health =
      state.Health && state.Health.Status !== ("none" as string) ? state.Health.Status : undefined;
    if (awaited === "service_completed_successfully") {
      if (state.Status !== "exited") return undefined;
      if (state.ExitCode === 0) return "completed";
      throw await exitFailure(this.#project, service, container, this.#engine);
    }
    if (state.Status === "created" || state.Restarting) return undefined;
    if (state.Status === "exited" || state.Status === "dead") {
      if (awaited === "ready" && state.ExitCode === 0) return "completed";
      if (awaited === "service_started") return "exited";
      throw await exitFailure(this.#project, service, container, this.#engine);
    }
    if (awaited === "service_started") return "running";
    if (health === undefined) {
      if (awaited === "ready") return "running";
      const at = this.#project.positionOf(["services", service]);
      throw new AppError("SERVICE_UNHEALTHY", `${service} has no healthcheck, so it can never be healthy`, {
        ...(at && { at }),
        hint: `Give ${service} a healthcheck, or wait for service_started.`,
      });
    }
    if (health === "healthy") return "healthy";
    if (health === "unhealthy") throw await healthFailure(this.#project, service, container, this.#engine);
    return undefined;
  }

  #subscribe(): Promise<void> {
    this.#subscribed ??= this.#listen();
    return this.#subscribed;
  }

  async #listen(): Promise<void> {
    const filters = { type: ["container"], ...projectFilter(this.#project.name) };
    const signal = AbortSignal.any([this.#signal, this.#stop.signal]);
    const events = await this.#engine.events({ filters, signal });
    void this.#dispatch(events);
  }

  async #dispatch(events: AsyncIterable<EngineEvent>): Promise<void> {
    try {
      for await (const event of events) for (const waiting of this.#waiting) waiting(event);
    } catch {
      // The connection is gone: whoever waits looks once more, and meets the reason there.
      for (const waiting of this.#waiting)
        waiting({ Actor: { ID: "", Attributes: {} } } as unknown as EngineEvent);
    }
  }
}
