/** What each instruction does to its stage: its variables, its image's configuration, its steps. */

import { signalNumber } from "../../containers/signals.ts";
import { formatDuration } from "../../duration.ts";
import type { Command, CommandKind, CommandLine } from "../dockerfile/commands.ts";
import { exposeFindings, parsePorts } from "../dockerfile/expose.ts";
import { DockerfileError } from "../dockerfile/position.ts";
import { quoteList } from "../dockerfile/text.ts";
import { type ExpandOptions, type Expansion, ExpansionError, expand } from "../dockerfile/words.ts";
import { checkSecretName, checkVariables } from "./checks.ts";
import { absolute, type Dispatch, titleText } from "./command.ts";
import type { PlanContext } from "./context.ts";
import { planCopy } from "./copy.ts";
import type { Draft } from "./draft.ts";
import { planRun } from "./run.ts";
import type { StageCommand, StageState } from "./state.ts";

type Dispatchers = { readonly [K in CommandKind]: (dispatch: Dispatch<K>) => void };

/** @throws {DockerfileError} without a place for what the command cannot mean */
export function dispatchCommand(stage: StageState, command: StageCommand, context: PlanContext): void {
  const expanded = (text: string, options: ExpandOptions = {}): Expansion => {
    try {
      const made = expand(text, stage.env, { escape: context.escapeToken, ...options });
      checkVariables(stage, command, made.unmatched, context);
      return made;
    } catch (error) {
      if (error instanceof ExpansionError) checkVariables(stage, command, error.unmatched, context);
      throw error;
    }
  };
  const dispatch: Dispatch = {
    ...command,
    stage,
    context,
    draft: stage.draft!,
    word: (text, options) => expanded(text, options).text,
    words: (text) => expanded(text).words,
  };
  (DISPATCHERS[command.command.kind] as (dispatch: Dispatch) => void)(dispatch);
}

const DISPATCHERS: Dispatchers = {
  add: planCopy,
  copy: planCopy,
  run: planRun,

  arg({ stage, draft, command, context, word }) {
    const shown: string[] = [];
    for (const { key, value } of command.arguments) {
      checkSecretName("ARG", key, command, context.linter);
      const given = context.options.args.get(key);
      const chosen = given ?? (value === undefined ? context.globals.get(key) : word(value));
      if (chosen !== undefined) stage.setVariable(key, chosen);
      stage.arguments.push({ key, value: chosen });
      shown.push(chosen === undefined ? key : `${key}=${chosen}`);
    }
    draft.record(`ARG ${shown.join(" ")}`, false, context.epoch);
  },

  env({ stage, draft, command, context, word }) {
    const pairs = command.pairs.map((pair) => ({ ...pair, key: word(pair.key), value: word(pair.value) }));
    for (const { key, value, legacy } of pairs) {
      reportLegacy(command, legacy, context);
      checkSecretName("ENV", key, command, context.linter);
      stage.setVariable(key, value);
      draft.setEnv(key, value);
    }
    draft.record(`ENV ${pairs.map(({ key, value }) => `${key}=${value}`).join(" ")}`, false, context.epoch);
  },

  label({ draft, command, context, word }) {
    const pairs = command.pairs.map((pair) => ({ ...pair, key: word(pair.key), value: word(pair.value) }));
    for (const { legacy } of pairs) reportLegacy(command, legacy, context);
    draft.config.Labels = {
      ...draft.config.Labels,
      ...Object.fromEntries(pairs.map(({ key, value }) => [key, value])),
    };
    draft.record(`LABEL ${pairs.map(({ key, value }) => `${key}=${value}`).join(" ")}`, false, context.epoch);
  },

  workdir({ stage, draft, command, context, word, onBuild }) {
    const path = word(command.path);
    if (!stage.workdirSet && !path.startsWith("/")) {
      context.linter.report("WorkdirRelativePath", command.node.range, [path], command.node.comments);
    }
    stage.workdirSet = true;
    if (path === "") throw new DockerfileError("normalizing workdir: cannot normalize nothing");
    // An absolute path is kept as it is written, "/w//z" too.
    const directory = path.startsWith("/") ? path : absolute(draft.config.WorkingDir, path);
    draft.config.WorkingDir = directory;
    const historyIndex = draft.record(`WORKDIR ${directory}`, directory !== "/", context.epoch);
    if (directory === "/") return;
    const title = stage.stepTitle(titleText(stage.env, command, context), onBuild);
    const user = draft.config.User ?? "";
    const { range } = command.node;
    stage.steps.push({
      kind: "workdir",
      title,
      range,
      historyIndex,
      noCache: stage.noCache,
      path: absolute("/", directory),
      user,
    });
  },

  user({ draft, command, context, word }) {
    const user = word(command.user);
    draft.config.User = user;
    draft.record(`USER ${user}`, false, context.epoch);
  },

  volume({ draft, command, context, word }) {
    const paths = command.paths.map((path) => word(path));
    if (paths.includes("")) throw new DockerfileError("VOLUME specified can not be an empty string");
    draft.config.Volumes = {
      ...draft.config.Volumes,
      ...Object.fromEntries(paths.map((path) => [path, {}])),
    };
    draft.record(`VOLUME [${paths.join(" ")}]`, false, context.epoch);
  },

  expose({ draft, command, context, words }) {
    const written = command.ports.flatMap((port) => words(port));
    const ports = written.flatMap((word) => {
      const { format, casing } = exposeFindings(word);
      const { range, comments } = command.node;
      if (format) context.linter.report("ExposeInvalidFormat", range, [word], comments);
      if (casing) context.linter.report("ExposeProtoCasing", range, [word], comments);
      return parsePorts(word);
    });
    draft.config.ExposedPorts = {
      ...draft.config.ExposedPorts,
      ...Object.fromEntries(ports.map((port) => [port, {}])),
    };
    draft.record(`EXPOSE [${[...new Set(ports)].sort(byNumber).join(" ")}]`, false, context.epoch);
  },

  stopsignal({ draft, command, context, word }) {
    const signal = word(command.signal);
    // BuildKit takes any number but 0; a name must be known.
    if (!/^[+-]?\d*[1-9]\d*$/.test(signal)) signalNumber(signal);
    draft.config.StopSignal = signal;
    draft.record(`STOPSIGNAL ${signal}`, false, context.epoch);
  },

  cmd({ stage, draft, command, context }) {
    once(stage, command, context);
    const words = commandWords(draft, command, command, context);
    draft.config.Cmd = words;
    draft.config.ArgsEscaped = true;
    draft.record(`CMD ${quoteList(words)}`, false, context.epoch);
  },

  entrypoint({ stage, draft, command, context }) {
    once(stage, command, context);
    const words = commandWords(draft, command, command, context);
    draft.config.Entrypoint = words;
    // A CMD from below was meant for another entrypoint.
    if (!stage.last.has("cmd")) delete draft.config.Cmd;
    draft.record(`ENTRYPOINT ${quoteList(words)}`, false, context.epoch);
  },

  healthcheck({ stage, draft, command, context }) {
    once(stage, command, context);
    const { Test, Interval, Timeout, StartPeriod, StartInterval, Retries } = command.test;
    const given = Object.entries(command.test).filter(([, value]) => value !== 0);
    draft.config.Healthcheck = Object.fromEntries(given);
    const shown = [
      `Test:[${Test.join(" ")}]`,
      `Interval:${formatDuration(Interval)}`,
      `Timeout:${formatDuration(Timeout)}`,
      `StartPeriod:${formatDuration(StartPeriod)}`,
      `StartInterval:${formatDuration(StartInterval)}`,
      `Retries:${Retries}`,
    ];
    draft.record(`HEALTHCHECK {${shown.join(" ")}}`, false, context.epoch);
  },

  shell({ draft, command, context }) {
    draft.config.Shell = command.words;
    draft.record(`SHELL [${command.words.join(" ")}]`, false, context.epoch);
  },

  onbuild({ draft, command }) {
    draft.config.OnBuild = [...(draft.config.OnBuild ?? []), command.trigger];
  },

  maintainer({ draft, command, context }) {
    draft.author = command.name;
    draft.record(`MAINTAINER ${command.name}`, false, context.epoch);
  },
};

/** `80/tcp` before `443/udp`. */
function byNumber(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1);
}

function commandWords(
  draft: Draft,
  line: CommandLine,
  command: Command,
  { linter }: PlanContext,
): readonly string[] {
  if (!line.shell) return line.words;
  if ((draft.config.Shell ?? []).length === 0) {
    linter.report("JSONArgsRecommended", command.node.range, [command.node.name], command.node.comments);
  }
  return draft.shellWords(line.words);
}

/** The earlier one is reported: it is the one without effect. */
function once(
  stage: StageState,
  command: Extract<Command, { kind: "cmd" | "entrypoint" | "healthcheck" }>,
  { linter }: PlanContext,
): void {
  const before = stage.last.get(command.kind);
  if (before !== undefined) {
    linter.report("MultipleInstructionsDisallowed", before, [command.node.name], command.node.comments);
  }
  stage.last.set(command.kind, command.node.range);
}

function reportLegacy(command: Command, legacy: boolean, { linter }: PlanContext): void {
  if (legacy)
    linter.report("LegacyKeyValueFormat", command.node.range, [command.node.name], command.node.comments);
}
