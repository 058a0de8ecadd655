import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class RegistryServe extends SlipwayCommand {
  static override summary = "Serve the image store as a registry, until Ctrl-C";
  static override description =
    `Other engines push to it and pull from it, as from any registry. What is pushed stays when it
ends; the engine's own images can be pulled under their names.`;
  static override examples = [
    "slipway registry serve",
    "slipway registry serve --listen 0.0.0.0:5000 --htpasswd users --tls-cert cert.pem --tls-key key.pem",
  ];
  static override flags = {
    listen: Flags.string({
      default: "127.0.0.1:5000",
      helpValue: "ADDRESS:PORT",
      summary: "Where to listen",
    }),
    htpasswd: Flags.string({
      helpValue: "FILE",
      summary: "Who may use it: lines of user:hash, by htpasswd -B",
    }),
    "tls-cert": Flags.string({ dependsOn: ["tls-key"], helpValue: "FILE", summary: "Certificate, PEM" }),
    "tls-key": Flags.string({ dependsOn: ["tls-cert"], helpValue: "FILE", summary: "Its private key, PEM" }),
    "read-only": Flags.boolean({ summary: "Take no pushes" }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(RegistryServe);
    const context = await this.context(flags);
    const { serveRegistry } = await import("../../../verbs/objects/registry.ts");
    const files = { htpasswd: flags.htpasswd, cert: flags["tls-cert"], key: flags["tls-key"] };
    const options = { listen: flags.listen, readonly: flags["read-only"], ...files };
    await serveRegistry(options, context, (line) => this.print(line));
  }
}
