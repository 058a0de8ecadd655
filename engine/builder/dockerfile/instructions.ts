/** Parsed lines → stages of typed commands, with the checks that need no build arguments. */
import type {
  Argument,
  Command,
  CommandKind,
  CommandLine,
  Commands,
  Pair,
  Sources,
  StageText,
} from "./commands.ts";
import { readFlags } from "./flags.ts";
import { readHealthcheck } from "./healthcheck.ts";
import { heredocText, parseHeredoc } from "./heredoc.ts";
import { checkMountText } from "./mounts.ts";
import { type Dockerfile, type Node, triggerOf } from "./parse.ts";
import { DockerfileError, type Range } from "./position.ts";
import { didYouMean, trim } from "./text.ts";

export interface Instructions {
  /** ARGs in front of the first FROM. */
  readonly globalArguments: readonly Extract<Command, { kind: "arg" }>[];
  readonly stages: readonly StageText[];
}

/**
 * @param seen is told of every FROM and command as it is read, before an error later in the file ends the reading
 * @throws {DockerfileError} "dockerfile parse error on line N: …"
 */
export function readInstructions(
  file: Dockerfile,
  seen: (each: StageText | Command) => void = () => {},
): Instructions {
  const globalArguments: Extract<Command, { kind: "arg" }>[] = [];
  const stages: (StageText & { commands: Command[] })[] = [];
  for (const node of file.nodes) {
    try {
      if (node.instruction === "from") {
        const stage = { ...readFrom(node), commands: [] };
        stages.push(stage);
        seen(stage);
        continue;
      }
      const command = readCommand(node);
      seen(command);
      if (stages.length > 0) stages.at(-1)!.commands.push(command);
      else if (command.kind === "arg") globalArguments.push(command);
      else throw new StagelessError("no build stage in current context", node.range);
    } catch (error) {
      if (!(error instanceof DockerfileError) || error instanceof StagelessError) throw error;
      const message = `dockerfile parse error on line ${node.range.start.line}: ${error.message}`;
      throw new DockerfileError(message, error.range ?? node.range, { cause: error });
    }
  }
  if (stages.length === 0) throw new DockerfileError("dockerfile contains no stages to build");
  return { globalArguments, stages };
}

class StagelessError extends DockerfileError {}

function readFrom(node: Node): Omit<StageText, "commands"> {
  const words = node.args.map(({ value }) => value);
  let name = "";
  if (words.length === 3 && words[1]!.toLowerCase() === "as") {
    name = words[2]!.toLowerCase();
    if (!/^[a-z][a-z0-9\-_.]*$/.test(name)) {
      fail(`invalid name for build stage: "${words[2]}", name can't start with a number or contain symbols`);
    }
  } else if (words.length !== 1) fail("FROM requires either one or three arguments");
  const { platform } = readFlags(node.flags, { platform: "text" });
  return { base: words[0]!, name, platform, node, range: node.range };
}

/** An instruction other than FROM. @throws {DockerfileError} without the "parse error" in front */
export function readCommand(node: Node): Command {
  const reader = Object.hasOwn(READERS, node.instruction)
    ? READERS[node.instruction as CommandKind]
    : undefined;
  if (reader === undefined) {
    const known = ["FROM", ...Object.keys(READERS).map((each) => each.toUpperCase())];
    return fail(`unknown instruction: ${node.name}${didYouMean(node.name.toUpperCase(), known)}`);
  }
  return { kind: node.instruction, node, ...reader(node) } as Command;
}

type Readers = { readonly [K in CommandKind]: (node: Node) => Commands[K] };

const READERS: Readers = {
  add: (node) => {
    requireTarget(node, "ADD");
    const flags = readFlags(node.flags, {
      chown: "text",
      chmod: "text",
      link: "boolean",
      "keep-git-dir": "boolean",
      checksum: "text",
      unpack: "boolean",
      exclude: "list",
    });
    return {
      ...flags,
      link: flags.link === true,
      keepGitDirectory: flags["keep-git-dir"],
      sources: sourcesOf(node, "ADD"),
    };
  },
  copy: (node) => {
    requireTarget(node, "COPY");
    const flags = readFlags(node.flags, {
      chown: "text",
      from: "text",
      chmod: "text",
      link: "boolean",
      parents: "boolean",
      exclude: "list",
    });
    const from = flags.from === "" ? undefined : flags.from;
    return {
      ...flags,
      from,
      link: flags.link === true,
      parents: flags.parents === true,
      sources: sourcesOf(node, "COPY"),
    };
  },
  arg: (node) => {
    atLeastOne(node);
    readFlags(node.flags, {});
    return { arguments: node.args.map(({ value }) => argumentOf(value)) };
  },
  cmd: (node) => commandLine(node),
  entrypoint: (node) => commandLine(node),
  env: (node) => ({ pairs: pairsOf(node) }),
  label: (node) => ({ pairs: pairsOf(node) }),
  expose: (node) => {
    atLeastOne(node);
    readFlags(node.flags, {});
    return { ports: values(node) };
  },
  healthcheck: (node) => {
    atLeastOne(node);
    return { test: readHealthcheck(node) };
  },
  maintainer: (node) => ({ name: exactlyOne(node) }),
  onbuild: (node) => {
    atLeastOne(node);
    readFlags(node.flags, {});
    return { trigger: triggerText(node) };
  },
  run: (node) => {
    const flags = readFlags(node.flags, { mount: "list", network: "text", security: "text", device: "list" });
    for (const mount of flags.mount) checkMountText(mount);

    const network = flags.network ?? "default";
    if (network !== "default" && network !== "none" && network !== "host")
      fail(`invalid network mode "${network}"`);
    const security = flags.security ?? "sandbox";
    if (security !== "sandbox" && security !== "insecure") fail(`security "${security}" is not valid`);
    return {
      ...wordsOf(node),
      files: node.heredocs,
      mounts: flags.mount,
      devices: flags.device,
      network,
      security,
    } as Commands["run"];
  },
  shell: (node) => {
    readFlags(node.flags, {});
    atLeastOne(node);
    if (!node.json) fail("SHELL requires the arguments to be in JSON form");
    return { words: values(node) };
  },
  stopsignal: (node) => ({ signal: exactlyOne(node) }),
  user: (node) => ({ user: exactlyOne(node) }),
  volume: (node) => {
    atLeastOne(node);
    readFlags(node.flags, {});
    const paths = values(node).map(trim);
    if (paths.includes("")) fail("VOLUME specified can not be an empty string");
    return { paths };
  },
  workdir: (node) => ({ path: exactlyOne(node) }),
};

function commandLine(node: Node): CommandLine {
  readFlags(node.flags, {});
  return wordsOf(node);
}

function wordsOf(node: Node): CommandLine {
  return { words: values(node), shell: !node.json };
}

function values(node: Node): string[] {
  return node.args.map(({ value }) => value);
}

function sourcesOf(node: Node, name: string): Sources {
  const words = values(node);
  const target = words.pop()!;
  if (parseHeredoc(target) !== undefined) fail(`${name} cannot accept a heredoc as a destination`);
  const paths: string[] = [];
  const files: Sources["files"][number][] = [];
  for (const word of words) {
    const start = node.json ? undefined : parseHeredoc(word);
    const heredoc = node.heredocs.findLast((each) => each.name === start?.name);
    if (start === undefined) paths.push(word);
    else
      files.push({
        name: start.name,
        content: heredoc === undefined ? "" : heredocText(heredoc),
        expand: start.expand,
      });
  }
  return { paths, files, target };
}

function pairsOf(node: Node): Pair[] {
  readFlags(node.flags, {});
  atLeastOne(node);
  const words = values(node);
  const pairs: Pair[] = [];
  for (let at = 0; at < words.length; at += 3) {
    if (words[at] === "") fail(`${node.instruction.toUpperCase()} names can not be blank`);
    pairs.push({ key: words[at]!, value: words[at + 1]!, legacy: words[at + 2] === "" });
  }
  return pairs;
}

function argumentOf(word: string): Argument {
  const equals = word.indexOf("=");
  if (equals === 0) fail("ARG names can not be blank");
  return equals < 0
    ? { key: word, value: undefined }
    : { key: word.slice(0, equals), value: word.slice(equals + 1) };
}

function triggerText(node: Node): string {
  const trigger = triggerOf(node.args[0]!.value)?.instruction.toUpperCase();
  if (trigger === "ONBUILD") fail("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (trigger === "MAINTAINER" || trigger === "FROM") fail(`${trigger} isn't allowed as an ONBUILD trigger`);
  const text = node.original.replace(/^\s*ONBUILD\s*/i, "");
  return text + node.heredocs.map(({ content, name }) => `\n${content}${name}`).join("");
}

function exactlyOne(node: Node): string {
  if (node.args.length !== 1) fail(`${node.instruction.toUpperCase()} requires exactly one argument`);
  readFlags(node.flags, {});
  return node.args[0]!.value;
}

function atLeastOne(node: Node): void {
  if (node.args.length === 0) fail(`${node.instruction.toUpperCase()} requires at least one argument`);
}

function requireTarget(node: Node, name: string): void {
  if (node.args.length >= 2) return;
  fail(
    `${name} requires at least two arguments, but only one was provided. Destination could not be determined`,
  );
}

function fail(message: string, range?: Range): never {
  throw new DockerfileError(message, range);
}
