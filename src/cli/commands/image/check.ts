import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class ImageCheck extends SlipwayCommand {
  static override summary = "Prove every digest and reference of the image store";
  static override description = "Reads all of it. Ends with 1 when something is wrong and not repaired.";
  static override examples = ["slipway image check", "slipway image check --repair"];
  static override flags = {
    repair: Flags.boolean({ summary: "Remove what is broken, so that it is fetched or built again" }),
    format: Flags.string({ options: ["pretty", "json"], default: "pretty", summary: "Form of the output" }),
  };

  override async run(): Promise<number> {
    const { flags } = await this.parse(ImageCheck);
    const { engine } = await this.context(flags);
    const { checkStore } = await import("../../../verbs/objects/store.ts");
    const report = await checkStore(engine, flags.repair);
    const { images, layers, blobs, findings } = report;
    if (flags.format === "json") this.print(JSON.stringify({ v: 1, ...report }));
    else {
      this.print(`${images} images, ${layers} layers, ${blobs} blobs: ${findings.length || "no"} problems`);
      for (const { what, id, problem, repair } of findings)
        this.print(` ${what} ${id}: ${problem}${repair ? `; ${repair}` : ""}`);
    }
    return findings.length > 0 && !flags.repair ? 1 : 0;
  }
}
