import type { SlipwayCommand } from "./base.ts";

export interface CommandClass {
  new (argv: string[], config: SlipwayCommand["config"]): SlipwayCommand;
  id: string;
  readonly summary?: string | undefined;
}

/** Every command by its words. Aliases are further keys of the same file. */
export const COMMANDS: Readonly<Record<string, () => Promise<CommandClass>>> = {
  up: async () => (await import("./commands/up.ts")).Up,
  down: async () => (await import("./commands/down.ts")).Down,
  ps: async () => (await import("./commands/ps.ts")).Ps,
  logs: async () => (await import("./commands/logs.ts")).Logs,
  version: async () => (await import("./commands/version.ts")).Version,
};
