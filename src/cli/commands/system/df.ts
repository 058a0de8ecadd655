import { size } from "../../../ui/size.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class SystemDf extends SlipwayCommand {
  static override summary = "Show what images, containers, volumes and the build cache take on disk";
  static override description =
    "Bytes of the file system: what a removal frees. What several share is counted once; it is free when the last goes.";
  static override examples = ["slipway system df", "slipway system df -v", "slipway system df --format json"];
  static override flags = {
    verbose: Flags.boolean({ char: "v", summary: "Each object by itself" }),
    format: Flags.string({ options: ["table", "json"], default: "table", summary: "Form of the output" }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(SystemDf);
    const { engine } = await this.context(flags);
    const { describeUsage, summarizeUsage } = await import("../../../verbs/objects/usage.ts");
    const usage = await engine.diskUsage();
    if (flags.format === "json") {
      const parts = flags.verbose ? describeUsage(usage) : undefined;
      return this.print(JSON.stringify({ v: 1, kinds: summarizeUsage(usage), ...parts }));
    }
    const { tableText } = await import("../../../ui/table.ts");
    this.print(
      tableText(
        ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"],
        summarizeUsage(usage).map((kind) => [
          kind.kind,
          String(kind.total),
          String(kind.active),
          size(kind.size),
          size(kind.reclaimable),
        ]),
      ),
    );
    if (!flags.verbose) return;
    const { images, containers, volumes, steps } = describeUsage(usage);
    const table = (head: readonly string[], rows: readonly (readonly string[])[]): void => {
      if (rows.length > 0) this.print(`\n${tableText(head, rows)}`);
    };
    table(
      ["IMAGE", "ID", "SIZE", "SHARED", "FREED BY REMOVAL", "CONTAINERS"],
      images.map(({ name, id, bytes, shared, unique, users }) => [
        ...[name, id, size(bytes), size(shared), size(unique), String(users)],
      ]),
    );
    table(
      ["CONTAINER", "STATE", "SIZE"],
      containers.map(({ name, state, bytes }) => [name, state, size(bytes)]),
    );
    table(
      ["VOLUME", "SIZE", "CONTAINERS"],
      volumes.map(({ name, bytes, users }) => [name, size(bytes), String(users)]),
    );
    table(
      ["BUILD STEP", "SIZE"],
      steps.map(({ name, bytes }) => [name, size(bytes)]),
    );
  }
}
