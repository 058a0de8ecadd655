import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";

export class Logout extends SlipwayCommand {
  static override summary = "Forget the login with a registry";
  static override examples = ["slipway logout registry.example"];
  static override args = {
    server: Args.string({ description: "Registry; none: Docker Hub" }),
  };

  override async run(): Promise<void> {
    const { args } = await this.parse(Logout);
    const { forgetLogin, registryOf } = await import("../../verbs/credentials.ts");
    const registry = registryOf(args.server === undefined ? "x" : `${args.server}/x`);
    const known = await forgetLogin(registry, process.env);
    this.print(known ? `logged out of ${registry}` : `there was no login with ${registry}`);
  }
}
