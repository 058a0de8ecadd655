import { size } from "../../../ui/size.ts";
import { SlipwayCommand } from "../../base.ts";
import { listFlags, printList } from "../../objects.ts";

interface Entry {
  readonly kind: "step" | "mount";
  readonly id: string;
  readonly size: number; // bytes
  readonly used: string;
  readonly what: string;
}

export class BuilderDf extends SlipwayCommand {
  static override summary = "Show what the builder keeps";
  static override examples = ["slipway builder df"];
  static override flags = { quiet: listFlags.quiet, format: listFlags.format };

  override async run(): Promise<void> {
    const { flags } = await this.parse(BuilderDf);
    const { engine } = await this.context(flags);
    const isOurs = (await engine.slipwayFeatures()).has("build");
    const [{ BuildCache }, mounts] = await Promise.all([
      engine.diskUsage(),
      isOurs ? engine.listCacheMounts() : [],
    ]);
    // Our engine tells of cache mounts twice; here they are named as the Dockerfile names them.
    const steps = (BuildCache ?? [])
      .filter(({ Type }) => !isOurs || Type !== "exec.cachemount")
      .map(
        ({ ID, Size = 0, LastUsedAt, Description = "" }): Entry => ({
          kind: "step",
          id: ID ?? "",
          size: Size,
          used: LastUsedAt ?? "",
          what: Description,
        }),
      );
    const kept = mounts.map(
      ({ ID, Size }): Entry => ({ kind: "mount", id: ID, size: Size, used: "", what: "cache mount" }),
    );
    await printList(
      [...steps, ...kept],
      [
        ["ID", ({ id }) => id],
        ["SIZE", (entry) => size(entry.size)],
        ["LAST USED", ({ used }) => used.replace(/\.\d+Z$/, "Z")],
        ["WHAT", ({ what }) => what],
      ],
      ({ id }) => id,
      flags,
      (line) => this.print(line),
    );
  }
}
