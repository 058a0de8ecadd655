import type { SlipwayCommand } from "./base.ts";

export interface CommandClass {
  new (argv: string[], config: SlipwayCommand["config"]): SlipwayCommand;
  id: string;
  readonly summary?: string | undefined;
}

/** Every command by its words. Aliases are further keys of the same file. */
export const COMMANDS: Readonly<Record<string, () => Promise<CommandClass>>> = {
  version: async () => (await import("./commands/version.ts")).Version,
};
