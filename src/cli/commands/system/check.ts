import type { StoreReport } from "../../../verbs/objects/store.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class SystemCheck extends SlipwayCommand {
  static override summary =
    "Check whether this machine has what containers need, and that the store is whole";
  static override description =
    `Reads every layer and blob. Ends with 1 when something is missing that containers cannot do without, or
when something of the store is broken and not repaired.`;
  static override examples = [
    "slipway system check",
    "slipway system check --repair",
    "slipway system check --format json --no-store",
  ];
  static override flags = {
    store: Flags.boolean({
      default: true,
      allowNo: true,
      summary: "Prove every digest and reference of the image store",
    }),
    repair: Flags.boolean({ summary: "Unpack anew what can be, and put the rest into quarantine" }),
    format: Flags.string({ options: ["pretty", "json"], default: "pretty", summary: "Form of the output" }),
  };

  override async run(): Promise<number> {
    const { flags } = await this.parse(SystemCheck);
    const { engine } = await this.context(flags);
    const { checkMachine } = await import("../../../verbs/objects/check.ts");
    const { checkStore, describeStore } = await import("../../../verbs/objects/store.ts");
    const machine = await checkMachine(engine);
    const store = flags.store ? await checkStore(engine, flags.repair) : undefined;
    const checks = store === undefined ? machine : [...machine, describeStore(store)];
    const status = checks.some(({ state }) => state === "fail") ? 1 : 0;
    if (flags.format === "json") {
      this.print(JSON.stringify({ v: 1, checks, ...(store && { store }) }));
      return status;
    }
    const paint = await this.paint(flags);
    const marks = { ok: paint("green", "✔"), warn: paint("yellow", "!"), fail: paint("red", "✘") };
    const wide = Math.max(0, ...checks.map(({ name }) => name.length));
    for (const { name, state, detail, hint } of checks) {
      this.print(` ${marks[state]} ${name.padEnd(wide)}  ${detail}`);
      if (hint && state !== "ok") this.print(`   ${" ".repeat(wide)}  ${paint("dim", hint)}`);
    }
    this.#printFindings(store);
    return status;
  }

  #printFindings(store: StoreReport | undefined): void {
    for (const { what, id, problem, repair } of store?.findings ?? [])
      this.print(`   ${what} ${id}: ${problem}${repair ? `; ${repair}` : ""}`);
  }
}
