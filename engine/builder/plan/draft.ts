/** An image's configuration while a stage's instructions change it. */
import type { HistoryEntry, ImageConfig, Platform, RunConfig } from "../../images/types.ts";
import type { ImageDraft } from "./types.ts";

/** BuildKit's default for images that bring none. */
const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const COMMENT = "buildkit.dockerfile.v0";

export type MutableConfig = { -readonly [K in keyof RunConfig]: RunConfig[K] };

export class Draft {
  readonly config: MutableConfig;
  readonly history: HistoryEntry[];
  author: string | undefined;
  readonly #platform: Omit<ImageDraft, "author" | "config" | "history">;

  private constructor(
    config: RunConfig,
    history: readonly HistoryEntry[],
    platform: Draft["platform"],
    author?: string,
  ) {
    this.config = { ...config };
    this.history = [...history];
    this.#platform = platform;
    this.author = author;
  }

  static empty(platform: Platform): Draft {
    return new Draft({ WorkingDir: "/" }, [], platform);
  }

  /** Fields that the image specification does not know are dropped, as BuildKit drops them. */
  static fromImage(image: ImageConfig): Draft {
    const from = image.config ?? {};
    const config: MutableConfig = {};
    for (const key of KEPT)
      if (from[key] !== undefined && from[key] !== null) Object.assign(config, { [key]: from[key] });
    const { architecture, os, variant } = image;
    const version = image["os.version"];
    const platform = {
      architecture,
      os,
      ...(variant && { variant }),
      ...(version && { "os.version": version }),
    };
    return new Draft(config, image.history ?? [], platform, image.author);
  }

  static fromStage(draft: Draft): Draft {
    const copy = new Draft(draft.config, draft.history, draft.platform, draft.author);
    delete copy.config.OnBuild;
    return copy;
  }

  get platform(): Omit<ImageDraft, "author" | "config" | "history"> {
    return this.#platform;
  }

  /** PATH is always set; a shell without it finds nothing. */
  ensurePath(): void {
    const env = this.config.Env ?? [];
    if (!env.some((entry) => entry.startsWith("PATH="))) this.config.Env = [...env, DEFAULT_PATH];
  }

  setEnv(name: string, value: string): void {
    const env = [...(this.config.Env ?? [])];
    const at = env.findIndex((entry) => entry === name || entry.startsWith(`${name}=`));
    if (at < 0) env.push(`${name}=${value}`);
    else env[at] = `${name}=${value}`;
    this.config.Env = env;
  }

  /** @returns the entry's index */
  record(createdBy: string, hasLayer: boolean, epoch: number | undefined, comment = COMMENT): number {
    const created = epoch === undefined ? {} : { created: epochTime(epoch) };
    this.history.push({
      ...created,
      created_by: createdBy,
      comment,
      ...(!hasLayer && { empty_layer: true }),
    });
    return this.history.length - 1;
  }

  shellWords(words: readonly string[]): string[] {
    const shell = this.config.Shell ?? [];
    return [...(shell.length > 0 ? shell : ["/bin/sh", "-c"]), words.join(" ")];
  }

  finish(): ImageDraft {
    const author = this.author === undefined || this.author === "" ? {} : { author: this.author };
    return { ...this.#platform, ...author, config: this.config, history: this.history };
  }
}

const KEPT = [
  "User",
  "ExposedPorts",
  "Env",
  "Entrypoint",
  "Cmd",
  "Volumes",
  "WorkingDir",
  "Labels",
  "StopSignal",
  "ArgsEscaped",
  "Healthcheck",
  "OnBuild",
  "Shell",
] as const satisfies readonly (keyof RunConfig)[];

/** RFC 3339 of whole seconds, without a fraction, as Go writes it. */
export function epochTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.000Z$/, "Z");
}
