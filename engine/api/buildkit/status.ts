import { createHash } from "node:crypto";
import type { BuildEvent, StepInfo } from "../../builder/types.ts";
import type { StatusAnswer, Vertex } from "./messages.ts";
import type { TypeOf } from "./protobuf.ts";

export type StatusUpdate = Partial<TypeOf<typeof StatusAnswer>>;
type VertexState = Partial<TypeOf<typeof Vertex>>;

/** What a build has told so far, for clients that come late, and what it tells next. */
export class BuildStatus {
  readonly #ref: string;
  readonly #updates: StatusUpdate[] = [];
  readonly #started = new Map<string, VertexState>();
  #changed = Promise.withResolvers<void>();
  #closed = false;
  readonly #failed: string[] = [];

  /** @param ref of the build; it keeps the names of its steps apart from other builds' */
  constructor(ref: string) {
    this.#ref = ref;
  }

  close(): void {
    this.#closed = true;
    this.#changed.resolve();
  }

  /** From the beginning to the end of the build. */
  async *updates(): AsyncGenerator<StatusUpdate> {
    for (let at = 0; ; at++) {
      while (at >= this.#updates.length) {
        if (this.#closed) return;
        await this.#changed.promise;
      }
      yield this.#updates[at] as StatusUpdate;
    }
  }

  /** What the build itself tells. */
  onEvent(event: BuildEvent): void {
    switch (event.kind) {
      case "step":
        this.#step(event.step, event.state);
        break;
      case "log":
        this.#log(this.#digest(event.step), event.stream === "stderr" ? 2 : 1, Buffer.from(event.data));
        break;
      case "warning": {
        const { message, url } = event.warning;
        const short = Buffer.from(message);
        this.#add({ warnings: [{ vertex: this.#digestOf("warnings"), level: 1, short, url }] });
        break;
      }
      case "status":
        break; // said by the steps themselves
    }
  }

  /** Work that is no step of the Dockerfile, such as the transfer of the context. */
  async during<T>(name: string, work: () => Promise<T>): Promise<T> {
    const digest = this.#digestOf(name);
    this.#begin(digest, name);
    try {
      const result = await work();
      this.#end(digest, {});
      return result;
    } catch (error) {
      this.#end(digest, { error: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  /** The build has failed: a step that did is shown with the reason. */
  fail(reason: string): void {
    for (const digest of this.#failed.splice(0)) this.#end(digest, { error: reason });
  }

  #step(step: StepInfo, state: "start" | "cached" | "done" | "error"): void {
    const digest = this.#digest(step);
    if (!this.#started.has(digest)) this.#begin(digest, step.title);
    if (state === "error") this.#failed.push(digest);
    else if (state !== "start") this.#end(digest, state === "cached" ? { cached: true } : {});
  }

  #begin(digest: string, name: string): void {
    const vertex = { digest, name, started: now() };
    this.#started.set(digest, vertex);
    this.#add({ vertexes: [vertex] });
  }

  #end(digest: string, result: VertexState): void {
    this.#add({ vertexes: [{ ...this.#started.get(digest), ...result, completed: now() }] });
  }

  #log(vertex: string, stream: 1 | 2, bytes: Buffer): void {
    this.#add({ logs: [{ vertex, stream, bytes, timestamp: now() }] });
  }

  #add(update: StatusUpdate): void {
    this.#updates.push(update);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #digest(step: StepInfo): string {
    return this.#digestOf(`step ${step.id}`);
  }

  #digestOf(what: string): string {
    return `sha256:${createHash("sha256").update(`${this.#ref} ${what}`).digest("hex")}`;
  }
}

function now(): { seconds: number; nanos: number } {
  return timestamp(Date.now());
}

/** @param ms since 1970 */
export function timestamp(ms: number): { seconds: number; nanos: number } {
  return { seconds: Math.floor(ms / 1000), nanos: Math.floor(ms % 1000) * 1e6 };
}
