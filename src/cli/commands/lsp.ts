import { SlipwayCommand } from "../base.ts";

export class Lsp extends SlipwayCommand {
  static override summary =
    "Serve editors that speak the Language Server Protocol, over standard input and output";
  static override examples = ["slipway lsp"];

  override async run(): Promise<number> {
    await this.parse(Lsp);
    const { serve } = await import("../../lsp/server.ts");
    return await serve(process.stdin, process.stdout, process.env);
  }
}
