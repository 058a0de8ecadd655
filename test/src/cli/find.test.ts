import * as Flags from "@oclif/core/flags";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { findCommand } from "../../../src/cli/find.ts";
import { endFlagsAtFirstWord, yieldLetters } from "../../../src/cli/parse.ts";

const find = suite("cli/find and parse");
const NAMES = ["up", "logs", "exec", "version", "image ls", "image bootstrap"];

for (const [line, expected] of [
  ["up -d web", "up: -d web"],
  ["-f a.yaml -fb.yaml up -d", "up: --file a.yaml --file b.yaml -d"],
  ["-p shop --profile=x logs -f", "logs: --project-name shop --profile x -f"],
  ["--host unix:///x image ls -q", "image ls: --host unix:///x -q"],
  ["-v", "version: --short"],
  ["up --help", "help: up"],
  ["--help", "help: "],
  ["", "help: "],
  ["image", "help: image"],
  ["help image bootstrap", "help: image bootstrap"],
  ["exec web ls --help", "exec: web ls --help"],
] as const) {
  find(`"${line}" is ${expected}`, () => {
    const found = findCommand(
      line.split(" ").filter((word) => word !== ""),
      NAMES,
    );
    const text =
      found.kind === "help" ? `help: ${found.words.join(" ")}` : `${found.name}: ${found.argv.join(" ")}`;
    assert.is(text, expected);
  });
}

for (const [line, message] of [
  ["pu", 'unknown command: pu; did you mean "up"?'],
  ["image bootstrop", 'unknown command: image bootstrop; did you mean "image bootstrap"?'],
  ["--wat up", "unknown flag before the command: --wat"],
  ["-f", "-f needs a value"],
] as const) {
  find(`"${line}" is refused: ${message}`, () => {
    assert.throws(
      () => findCommand(line.split(" "), NAMES),
      (error: Error) => error.message === message,
    );
  });
}

const flags = {
  env: Flags.string({ char: "e", multiple: true }),
  tty: Flags.boolean({ char: "t" }),
  user: Flags.string({ char: "u" }),
};
for (const [line, expected] of [
  ["web ls -l", "-- web ls -l"],
  ["-t web ls", "-t -- web ls"],
  ["-e A=1 -tu root web ls -u x", "-e A=1 -tu root -- web ls -u x"],
  ["--env A=1 --user=me web", "--env A=1 --user=me -- web"],
  ["-uroot web", "-uroot -- web"],
  ["-t -- web", "-t -- web"],
] as const) {
  find(`flags of "${line}" end at the first word`, () => {
    assert.is(endFlagsAtFirstWord(line.split(" "), flags).join(" "), expected);
  });
}

find("a letter that a command uses is taken from the global flag", () => {
  const shared = yieldLetters(
    { file: Flags.string({ char: "f" }), host: Flags.string({ char: "H" }) },
    { follow: Flags.boolean({ char: "f" }) },
  );
  assert.equal([shared.file.char, shared.host.char], [undefined, "H"]);
});

find.run();
