import type { ImageConfig, Platform } from "../../images/types.ts";
import type { Linter } from "../dockerfile/lint.ts";
import type { IgnoreMatcher } from "../ignore.ts";
import type { BaseImage, TreeSource } from "./types.ts";

export interface PlanOptions {
  readonly args: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: string; // "" is the last stage
  readonly platform: Platform;
  /** Stages whose steps are never taken from the cache; "" is a stage without a name. */
  readonly noCache: "all" | readonly string[];
  readonly network: "default" | "none" | "host";
  /** Plans every stage, for a check. */
  readonly allStages: boolean;
}

/** What planning asks of the world. */
export interface PlanSources {
  /** @throws {EngineError} notFound with the reason */
  image(reference: string, platform: Platform): Promise<BaseImage>;
  /** @param name a stage's name, or an image's familiar one without `:latest` */
  namedContext(
    name: string,
  ): Promise<{ readonly source: TreeSource; readonly config?: ImageConfig } | undefined>;
  /** What .dockerignore hides, where it is read already. */
  readonly ignored?: IgnoreMatcher | undefined;
}

/** What each command's planning has at hand. */
export interface PlanContext {
  readonly options: PlanOptions;
  readonly sources: PlanSources;
  readonly linter: Linter;
  readonly escapeToken: string;
  readonly globals: ReadonlyMap<string, string>;
  readonly epoch: number | undefined;
  readonly proxies: readonly string[];
}
