/** RUN: the command line with its heredocs, and what is mounted beside it. */
import { posix } from "node:path";
import { heredocText, parseHeredoc } from "../dockerfile/heredoc.ts";
import { type Mount, parseMount } from "../dockerfile/mounts.ts";
import { DockerfileError } from "../dockerfile/position.ts";
import { trim } from "../dockerfile/text.ts";
import { clean } from "../ignore.ts";
import { absolute, type Dispatch, titleText } from "./command.ts";
import type { StageState } from "./state.ts";
import type { MountPlan, RunStep, TreeSource } from "./types.ts";

export function planRun(dispatch: Dispatch<"run">): void {
  const { stage, draft, command, context, sources, onBuild, word } = dispatch;
  if (command.devices.length > 0) {
    throw new DockerfileError("device feature is only supported in Dockerfile frontend 1.14.0-labs or later");
  }
  const mounts = command.mounts.map((text) => parseMount(text, (value) => word(value)));
  const { words, script, summary } = withHeredocs(dispatch);
  const argv = command.shell ? draft.shellWords(words) : words;
  const plans = mounts.map((mount, index) => mountPlan(mount, index, sources[index], stage, mounts));
  const masked = (name: string): string | undefined =>
    mounts.some(({ type, env }) => type === "secret" && env === name) ? "****" : stage.env.get(name);
  // Only what is set is put into the title: `$?` and the shell's own variables stay.
  const title = stage.stepTitle(
    titleText({ get: masked }, command, context, { rawQuotes: true, keepUnset: true }, summary),
    onBuild,
  );
  const shown = [...argumentsShown(stage), ...argv].join(" ");
  const historyIndex = draft.record(`RUN ${shown} # buildkit`, true, context.epoch);
  const step: RunStep = {
    kind: "run",
    title,
    range: command.node.range,
    historyIndex,
    noCache: stage.noCache,
    argv,
    env: [...stage.env].map(([name, value]) => `${name}=${value}`),
    proxies: context.proxies,
    cwd: draft.config.WorkingDir || "/",
    user: draft.config.User ?? "",
    network: command.network === "default" ? context.options.network : command.network,
    security: command.security,
    mounts: plans,
    script,
  };
  stage.steps.push(step);
}

interface Script {
  readonly words: readonly string[];
  readonly script: RunStep["script"];
  readonly summary: string;
}

/** A heredoc alone is the script; others are given to the shell as they are written. */
function withHeredocs({ command }: Dispatch<"run">): Script {
  const { words, files } = command;
  const first = files[0];
  if (first === undefined) return { words, script: undefined, summary: "" };
  if (words.length !== 1 || !command.shell) {
    throw new DockerfileError(`parsing produced an invalid run command: [${words.join(" ")}]`);
  }
  const start = parseHeredoc(words[0]!);
  if (start === undefined) {
    const text = [words[0]!, ...files.map(({ name, content }) => `\n${content}${name}`)].join("");
    return { words: [text], script: undefined, summary: "" };
  }
  const content = heredocText({ ...start, ...first, startLine: 0 });
  const lines = trim(first.content).split(/\r?\n/);
  const summary = ` (${lines[0]}${lines.length > 1 ? "..." : ""})`;
  if (!content.startsWith("#!")) return { words: [content], script: undefined, summary };
  return { words: [posix.join(SCRIPTS, first.name)], script: { name: first.name, content }, summary };
}

/** Where the file of a heredoc with `#!` is mounted. */
export const SCRIPTS = "/dev/pipes/";

/** `|2 A=1 B=2`: the ARGs in force, in the form of Docker's history. */
function argumentsShown(stage: StageState): string[] {
  const values = new Map<string, string>();
  for (const { key, value } of stage.arguments) values.set(key, stage.env.get(key) ?? value ?? "");
  if (values.size === 0) return [];
  return [`|${values.size}`, ...[...values].map(([key, value]) => `${key}=${value}`)];
}

function mountPlan(
  mount: Mount,
  index: number,
  source: StageState | undefined,
  stage: StageState,
  all: readonly Mount[],
): MountPlan {
  if (mount.from !== "" && source !== undefined && !source.planned) {
    const message = `cannot mount from stage "${mount.from}" to "${mount.target}", stage needs to be defined before current command`;
    throw new DockerfileError(message);
  }
  const target = targetOf(mount, index, all);
  // Only a secret may have no place: it goes to a variable.
  const resolved =
    target === "" && mount.type === "secret" ? "" : absolute(stage.draft!.config.WorkingDir, target);
  if (resolved === "/") throw new DockerfileError(`invalid mount target "${resolved}"`);
  return {
    ...mount,
    target: resolved,
    id: idOf(mount),
    from: fromOf(mount, source),
    source: posix.resolve("/", mount.source),
    sharing: mount.sharing ?? "shared",
  };
}

function targetOf(mount: Mount, index: number, all: readonly Mount[]): string {
  if (mount.type === "secret" && mount.target === "") {
    return mount.env === undefined ? `/run/secrets/${posix.basename(idOf(mount))}` : "";
  }
  if (mount.type === "ssh" && mount.target === "") {
    const number = all.slice(0, index).filter(({ type }) => type === "ssh").length;
    return `/run/buildkit/ssh_agent.${number}`;
  }
  return mount.target;
}

function idOf(mount: Mount): string {
  if (mount.type === "secret") return mount.id || mount.source || posix.basename(mount.target);
  if (mount.type === "ssh") return mount.id || "default";
  return mount.id || clean(mount.target);
}

function fromOf(mount: Mount, source: StageState | undefined): TreeSource {
  if (mount.type === "bind" && mount.from === "") return { kind: "context" };
  if (mount.from === "" || mount.type === "tmpfs") return { kind: "empty" };
  return source?.source ?? { kind: "empty" };
}
