/** What each instruction says, typed. Values are as written: variables are put in by stages.ts, which knows them. */
import type { Node } from "./parse.ts";
import type { Range } from "./position.ts";

export interface Pair {
  readonly key: string;
  readonly value: string;
  readonly legacy: boolean; // `ENV name the rest`
}

export interface Argument {
  readonly key: string;
  readonly value: string | undefined; // the default
}

/** A file that the Dockerfile itself holds. */
export interface InlineFile {
  readonly name: string;
  readonly content: string; // tabs of `<<-` stripped
  readonly expand: boolean;
}

export interface Sources {
  readonly paths: readonly string[];
  readonly files: readonly InlineFile[];
  readonly target: string;
}

/** Shell form has one word, to which the shell is put in front. */
export interface CommandLine {
  readonly words: readonly string[];
  readonly shell: boolean;
}

/** Times are nanoseconds; 0 is Docker's default. */
export interface HealthTest {
  readonly Test: readonly string[];
  readonly Interval: number;
  readonly Timeout: number;
  readonly StartPeriod: number;
  readonly StartInterval: number;
  readonly Retries: number;
}

export interface RunFile {
  readonly name: string;
  readonly content: string; // as in the file
  readonly stripTabs: boolean;
}

export interface Commands {
  readonly add: {
    readonly sources: Sources;
    readonly chown: string | undefined;
    readonly chmod: string | undefined;
    readonly link: boolean;
    readonly exclude: readonly string[];
    readonly keepGitDirectory: boolean | undefined;
    readonly checksum: string | undefined;
    readonly unpack: boolean | undefined;
  };
  readonly copy: {
    readonly sources: Sources;
    readonly from: string | undefined;
    readonly chown: string | undefined;
    readonly chmod: string | undefined;
    readonly link: boolean;
    readonly parents: boolean;
    readonly exclude: readonly string[];
  };
  readonly arg: { readonly arguments: readonly Argument[] };
  readonly cmd: CommandLine;
  readonly entrypoint: CommandLine;
  readonly env: { readonly pairs: readonly Pair[] };
  readonly label: { readonly pairs: readonly Pair[] };
  readonly expose: { readonly ports: readonly string[] };
  readonly healthcheck: { readonly test: HealthTest };
  readonly maintainer: { readonly name: string };
  readonly onbuild: { readonly trigger: string };
  readonly run: CommandLine & {
    readonly files: readonly RunFile[];
    readonly mounts: readonly string[];
    readonly devices: readonly string[];
    readonly network: "default" | "none" | "host";
    readonly security: "sandbox" | "insecure";
  };
  readonly shell: { readonly words: readonly string[] };
  readonly stopsignal: { readonly signal: string };
  readonly user: { readonly user: string };
  readonly volume: { readonly paths: readonly string[] };
  readonly workdir: { readonly path: string };
}

export type CommandKind = keyof Commands;

export type Command = {
  readonly [K in CommandKind]: { readonly kind: K; readonly node: Node } & Commands[K];
}[CommandKind];

export interface StageText {
  readonly base: string; // as written
  readonly name: string; // lower case, "" without AS
  readonly platform: string | undefined;
  readonly node: Node;
  readonly range: Range;
  readonly commands: readonly Command[];
}
