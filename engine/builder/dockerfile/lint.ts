/** BuildKit's lint rules: what each says, and which of them a Dockerfile's `# check=` leaves in force. */
import { DockerfileError, type Range } from "./position.ts";
import { parseBoolean, quote } from "./text.ts";

/** Each rule's sentence. The arguments are what it speaks of. */
const RULES = {
  StageNameCasing: (name: string) => `Stage name '${name}' should be lowercase`,
  FromAsCasing: (from: string, as: string) => `'${as}' and '${from}' keywords' casing do not match`,
  NoEmptyContinuation: () => "Empty continuation line",
  ConsistentInstructionCasing: (name: string, casing: string) =>
    `Command '${name}' should match the case of the command majority (${casing})`,
  DuplicateStageName: (name: string) => `Duplicate stage name ${quote(name)}, stage names should be unique`,
  ReservedStageName: (name: string) =>
    `Stage name should not use the same name as reserved stage ${quote(name)}`,
  JSONArgsRecommended: (name: string) =>
    `JSON arguments recommended for ${name} to prevent unintended behavior related to OS signals`,
  MaintainerDeprecated: () => "Maintainer instruction is deprecated in favor of using label",
  UndefinedArgInFrom: (name: string, nearest: string) =>
    `FROM argument '${name}' is not declared${nearest === "" ? "" : ` (did you mean ${nearest}?)`}`,
  WorkdirRelativePath: (path: string) =>
    `Relative workdir ${quote(path)} can have unexpected results if the base image changes`,
  UndefinedVar: (name: string, nearest: string) =>
    `Usage of undefined variable '$${name}'${nearest === "" ? "" : ` (did you mean $${nearest}?)`}`,
  MultipleInstructionsDisallowed: (name: string) =>
    `Multiple ${name} instructions should not be used in the same stage because only the last one will be used`,
  LegacyKeyValueFormat: (name: string) =>
    `"${name} key=value" should be used instead of legacy "${name} key value" format`,
  InvalidBaseImagePlatform: (image: string, expected: string, actual: string) =>
    `Base image ${image} was pulled with platform ${quote(actual)}, expected ${quote(expected)} for current build`,
  RedundantTargetPlatform: (variable: string) =>
    `Setting platform to predefined ${variable} in FROM is redundant as this is the default behavior`,
  SecretsUsedInArgOrEnv: (instruction: string, key: string) =>
    `Do not use ARG or ENV instructions for sensitive data (${instruction} ${quote(key)})`,
  InvalidDefaultArgInFrom: (base: string) =>
    `Default value for ARG ${base} results in empty or invalid base image name`,
  FromPlatformFlagConstDisallowed: (platform: string) =>
    `FROM --platform flag should not use constant value ${quote(platform)}`,
  CopyIgnoredFile: (command: string, path: string) =>
    `Attempting to ${command} file ${quote(path)} that is excluded by .dockerignore`,
  InvalidDefinitionDescription: (instruction: string, key: string) =>
    `Comment for ${instruction} should follow the format: \`# ${key} <description>\``,
  ExposeProtoCasing: (port: string) => `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
  ExposeInvalidFormat: (port: string) =>
    `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
} satisfies Record<string, (...words: string[]) => string>;

export type Rule = keyof typeof RULES;

const EXPERIMENTAL: ReadonlySet<string> = new Set<Rule>(["InvalidDefinitionDescription"]);

export interface Warning {
  readonly rule: Rule;
  readonly message: string;
  readonly range: Range;
  readonly url: string;
}

/** The value of a `# check=` directive. */
export interface CheckOptions {
  readonly skip: readonly string[];
  readonly skipAll: boolean;
  readonly error: boolean;
  readonly experimental: readonly string[];
  readonly experimentalAll: boolean;
}

const NO_OPTIONS: CheckOptions = {
  skip: [],
  skipAll: false,
  error: false,
  experimental: [],
  experimentalAll: false,
};

/** @throws {DockerfileError} for an unknown option */
export function parseCheckOptions(text: string): CheckOptions {
  let options = NO_OPTIONS;
  if (text === "") return options;
  for (const written of text.split(";").map((each) => each.trim())) {
    const equals = written.indexOf("=");
    const key = (equals < 0 ? written : written.slice(0, equals)).trim();
    const value = equals < 0 ? "" : written.slice(equals + 1).trim();
    const names = value.split(",").map((name) => name.trim());
    if (equals < 0 || (key !== "skip" && key !== "experimental" && key !== "error")) {
      throw new DockerfileError(`invalid check option ${quote(key)}`);
    }
    if (key === "error") {
      const error = parseBoolean(value);
      if (error === undefined) {
        const reason = `strconv.ParseBool: parsing ${quote(value)}: invalid syntax`;
        throw new DockerfileError(`failed to parse check option ${quote(written)}: ${reason}`);
      }
      options = { ...options, error };
    } else if (key === "skip")
      options = value === "all" ? { ...options, skipAll: true } : { ...options, skip: names };
    else if (value === "all") options = { ...options, experimentalAll: true };
    else options = { ...options, experimental: names };
  }
  return options;
}

/** Collects warnings, those left out that options or a comment above the instruction skip. */
export class Linter {
  readonly options: CheckOptions;
  readonly warnings: Warning[] = [];

  constructor(options: CheckOptions = NO_OPTIONS) {
    this.options = options;
  }

  /** @param comments above the instruction: `# check=skip=…` there counts for it alone */
  report<R extends Rule>(
    rule: R,
    range: Range,
    words: Parameters<(typeof RULES)[R]>,
    comments: readonly string[] = [],
  ): void {
    if (!this.#inForce(rule, this.options) || !this.#inForce(rule, optionsIn(comments))) return;
    const say = RULES[rule] as (...words: string[]) => string;
    this.warnings.push({ rule, message: say(...words), range, url: urlOf(rule) });
  }

  /** @throws {DockerfileError} where `# check=error=true` turns warnings into a failure */
  finish(): void {
    if (!this.options.error || this.warnings.length === 0) return;
    const rules = [...new Set(this.warnings.map(({ rule }) => rule))];
    throw new DockerfileError(`lint violation found for rules: ${rules.join(", ")}`, this.warnings[0]!.range);
  }

  #inForce(rule: Rule, options: CheckOptions): boolean {
    if (EXPERIMENTAL.has(rule) && options === this.options) {
      return options.experimentalAll || options.experimental.includes(rule);
    }
    return !options.skipAll && !options.skip.includes(rule);
  }
}

function optionsIn(comments: readonly string[]): CheckOptions {
  let options = NO_OPTIONS;
  for (const comment of comments) {
    // What follows "//" says why.
    const value = /^check\s*=\s*(.+?)(?:\s*\/\/.*)?$/.exec(comment)?.[1];
    if (value === undefined) continue;
    const more = parseCheckOptions(value);
    options = { ...options, skip: [...options.skip, ...more.skip], skipAll: options.skipAll || more.skipAll };
  }
  return options;
}

function urlOf(rule: Rule): string {
  const words = rule.replace(/^JSON/, "Json").match(/[A-Z][a-z]+/g)!;
  return `https://docs.docker.com/go/dockerfile/rule/${words.map((word) => word.toLowerCase()).join("-")}/`;
}
