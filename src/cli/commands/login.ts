import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { AppError } from "../../errors.ts";
import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";

export class Login extends SlipwayCommand {
  static override summary = "Log in with a registry";
  static override description = "The login is kept where docker keeps it, in $DOCKER_CONFIG or ~/.docker.";
  static override examples = [
    "slipway login registry.example",
    "echo $TOKEN | slipway login -u me --password-stdin registry.example",
  ];
  static override args = {
    server: Args.string({ description: "Registry; none: Docker Hub" }),
  };
  static override flags = {
    username: Flags.string({ char: "u", helpValue: "NAME", summary: "User name" }),
    password: Flags.string({
      char: "p",
      helpValue: "PASSWORD",
      summary: "Password, which others can see in the list of processes",
    }),
    "password-stdin": Flags.boolean({ summary: "Read the password from standard input" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Login);
    const username = flags.username ?? (await ask("User name: ", true));
    const password =
      flags.password ?? (flags["password-stdin"] ? await readAll() : await ask("Password: ", false));
    const context = await this.context(flags);
    const { login } = await import("../../verbs/login.ts");
    const kept = await login(args.server, username, password, context);
    this.print(`logged in; kept in ${kept}`);
  }
}

/** @throws {AppError} USAGE where there is no terminal to ask on */
async function ask(question: string, visible: boolean): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new AppError("USAGE", "there is no terminal to ask for the login", {
      hint: "Give -u and --password-stdin.",
    });
  }
  process.stderr.write(question);
  // The answer is not shown where what would be shown goes nowhere.
  const output = visible ? process.stderr : new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    if (!visible) process.stderr.write("\n");
  }
}

async function readAll(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) text += chunk;
  return text.replace(/\r?\n$/, "");
}
