/**
 * The project as every later stage sees it: compose's own keys, every short form made long, defaults filled in, paths
 * absolute, variables replaced. What is here is what `slipway config --format json` prints.
 *
 * Three kinds of text have one spelling each: a duration is Go's (`1m30s`), an amount of bytes is decimal digits, and
 * both are read by `units.ts`. An absent key and an empty one mean the same, except `command` and `entrypoint`, where
 * `[]` takes the image's away.
 */
import type { SourcePosition } from "../errors.ts";
import type { RemoteAddress } from "./remote.ts";
import type { Service, StringMap } from "./service-types.ts";

export type { SourcePosition } from "../errors.ts";
export type { GitAddress, OciAddress, RemoteAddress } from "./remote.ts";
export type * from "./service-types.ts";

/** What YAML can hold once it is read. An integer beyond 2^53 is a `bigint`, so that its digits stay. */
export type Scalar = string | number | bigint | boolean | null;
export type Value = Scalar | readonly Value[] | { readonly [key: string]: Value };

/** Where a value is: keys and indices from the project's root, such as `["services", "web", "ports", 0]`. */
export type Path = readonly (string | number)[];

/** What to load. Everything that is not given is found as docker compose finds it. */
export interface ProjectSource {
  /** Compose files in the order they merge; `-` is standard input. Else COMPOSE_FILE, else looked for upwards of `cwd`. */
  readonly files?: readonly string[] | undefined;
  readonly projectDirectory?: string | undefined;
  readonly projectName?: string | undefined;
  /** Files that take the place of `.env`; a later one wins. Else COMPOSE_ENV_FILES. */
  readonly envFiles?: readonly string[] | undefined;
  /** Profiles to enable besides COMPOSE_PROFILES; `*` is all. */
  readonly profiles?: readonly string[] | undefined;
  /** Services that a command names: their profiles count as enabled. */
  readonly services?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Keep networks, volumes, secrets and configs that no service uses. */
  readonly allResources?: boolean | undefined;
  /** The text of `-`, when it is one of the files. */
  readonly stdin?: (() => Promise<string>) | undefined;
  /**
   * Fetches a file of another machine, told where it is named: a path on this one. Without it such a file is an error.
   *
   * @throws {AppError} COMPOSE_REMOTE
   */
  readonly fetch?: ((remote: RemoteAddress, at: SourcePosition | undefined) => Promise<string>) | undefined;
  /** Steps to leave out, as the flags of `config` ask. */
  readonly skip?: SkippedSteps | undefined;
}

export interface SkippedSteps {
  readonly interpolation?: boolean;
  readonly normalization?: boolean;
  readonly paths?: boolean;
  readonly consistency?: boolean;
  readonly environment?: boolean;
}

export interface Project {
  readonly name: string;
  /** The enabled services. */
  readonly services: Readonly<Record<string, Service>>;
  /** Services that no active profile enables; they are no orphans. */
  readonly disabledServices: Readonly<Record<string, Service>>;
  /** Only what an enabled service uses, unless all were asked for; `name` is the engine's name. */
  readonly networks: Readonly<Record<string, Network>>;
  readonly volumes: Readonly<Record<string, Volume>>;
  readonly secrets: Readonly<Record<string, Secret>>;
  readonly configs: Readonly<Record<string, Config>>;
  readonly models: Readonly<Record<string, Model>>;
  /** Top-level `x-*`. */
  readonly extensions: Readonly<Record<string, Value>>;
  /** Absolute: the folder that relative paths start from. */
  readonly workingDir: string;
  /** Absolute; `-` for standard input. Included and extended files are not among them. */
  readonly files: readonly string[];
  /** What `--env-file` or COMPOSE_ENV_FILES named, absolute; empty when only `.env` was looked for. */
  readonly envFiles: readonly string[];
  /** What variables were replaced from: the shell over the env files, COMPOSE_PROJECT_NAME included. */
  readonly environment: Readonly<Record<string, string>>;
  /** Profiles that were asked for. */
  readonly profiles: readonly string[];
  /** What is worth saying and no failure: unset variables, obsolete `version`, … in the order of the files. */
  readonly warnings: readonly Warning[];
  /** The place that gave a value its present content; for a value nobody wrote, its nearest parent's. */
  positionOf(path: Path): SourcePosition | undefined;
  /** What is accepted and yet likely wrong, but for what `x-lint: {ignore: [CODE]}` names. */
  lint(): readonly Warning[];
  /** Where a value comes from, and what it won over; nothing for a path that is not there. */
  provenanceOf(path: Path): Provenance | undefined;
}

/** The story of one value: the file and line that set it, the variables that filled it, what it took the place of. */
export interface Provenance {
  readonly path: Path;
  /** As it is now; a mapping's or list's own parts have stories of their own. */
  readonly value: Scalar | undefined;
  readonly at: SourcePosition | undefined;
  /** The text with its variables, where there were any. */
  readonly template?: string;
  readonly variables: readonly { readonly name: string; readonly from: string }[];
  /** True: nobody wrote it, it is a default. */
  readonly implied: boolean;
  /** What lost, the latest first. */
  readonly replaced: readonly Omit<Provenance, "replaced" | "path">[];
  /** The parts of a mapping or list. */
  readonly children: readonly Provenance[];
}

export interface Warning {
  /** A word, as an error's code is. */
  readonly code: string;
  readonly message: string;
  readonly at?: SourcePosition | undefined;
  readonly hint?: string | undefined;
}

export interface Network {
  /** The engine's name: `<project>_<key>` unless the file says another. */
  readonly name: string;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly attachable?: boolean;
  readonly internal?: boolean;
  readonly enable_ipv4?: boolean;
  readonly enable_ipv6?: boolean;
  readonly external?: boolean;
  readonly ipam?: {
    readonly driver?: string;
    readonly config?: readonly {
      readonly subnet?: string;
      readonly ip_range?: string;
      readonly gateway?: string;
      readonly aux_addresses?: StringMap;
    }[];
    readonly options?: StringMap;
  };
  readonly labels?: StringMap;
}

export interface Volume {
  /** As for a network. */
  readonly name: string;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly external?: boolean;
  readonly labels?: StringMap;
}

/** Exactly one of file, environment, external or driver says where the content is. */
export interface Secret {
  readonly name: string;
  /** Absolute. */
  readonly file?: string;
  /** Name of the variable of `project.environment` that holds the content. */
  readonly environment?: string;
  readonly external?: boolean;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly template_driver?: string;
  readonly labels?: StringMap;
}

export interface Config {
  readonly name: string;
  readonly file?: string;
  readonly environment?: string;
  readonly content?: string;
  readonly external?: boolean;
  readonly template_driver?: string;
  readonly labels?: StringMap;
}

export interface Model {
  readonly name?: string;
  readonly model: string;
  readonly context_size?: number;
  readonly runtime_flags?: readonly string[];
}
