import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class SystemCheck extends SlipwayCommand {
  static override summary = "Check whether this machine has what containers need";
  static override description = "Ends with 1 when something is missing that containers cannot do without.";
  static override examples = ["slipway system check", "slipway system check --format json"];
  static override flags = {
    format: Flags.string({ options: ["pretty", "json"], default: "pretty", summary: "Form of the output" }),
  };

  override async run(): Promise<number> {
    const { flags } = await this.parse(SystemCheck);
    const { engine } = await this.context(flags);
    const { checkMachine } = await import("../../../verbs/objects/check.ts");
    const checks = await checkMachine(engine);
    const status = checks.some(({ state }) => state === "fail") ? 1 : 0;
    if (flags.format === "json") {
      this.print(JSON.stringify({ v: 1, checks }));
      return status;
    }
    const paint = await this.paint(flags);
    const marks = { ok: paint("green", "✔"), warn: paint("yellow", "!"), fail: paint("red", "✘") };
    const wide = Math.max(0, ...checks.map(({ name }) => name.length));
    for (const { name, state, detail, hint } of checks) {
      this.print(` ${marks[state]} ${name.padEnd(wide)}  ${detail}`);
      if (hint && state !== "ok") this.print(`   ${" ".repeat(wide)}  ${paint("dim", hint)}`);
    }
    return status;
  }
}
