import type { SlipwayCommand } from "./base.ts";

export interface CommandClass {
  new (argv: string[], config: SlipwayCommand["config"]): SlipwayCommand;
  id: string;
  readonly summary?: string | undefined;
}

/** Every command by its words, in the order of `--help`. */
export const COMMANDS: Readonly<Record<string, () => Promise<CommandClass>>> = {
  up: async () => (await import("./commands/up.ts")).Up,
  down: async () => (await import("./commands/down.ts")).Down,
  plan: async () => (await import("./commands/plan.ts")).PlanCommand,
  ps: async () => (await import("./commands/ps.ts")).Ps,
  logs: async () => (await import("./commands/logs.ts")).Logs,
  exec: async () => (await import("./commands/exec.ts")).Exec,
  watch: async () => (await import("./commands/watch.ts")).Watch,
  run: async () => (await import("./commands/run.ts")).Run,
  build: async () => (await import("./commands/build.ts")).Build,
  pull: async () => (await import("./commands/pull.ts")).Pull,
  push: async () => (await import("./commands/push.ts")).Push,
  create: async () => (await import("./commands/create.ts")).Create,
  start: async () => (await import("./commands/start.ts")).Start,
  stop: async () => (await import("./commands/stop.ts")).Stop,
  restart: async () => (await import("./commands/restart.ts")).Restart,
  pause: async () => (await import("./commands/pause.ts")).Pause,
  unpause: async () => (await import("./commands/unpause.ts")).Unpause,
  kill: async () => (await import("./commands/kill.ts")).Kill,
  rm: async () => (await import("./commands/rm.ts")).Rm,
  wait: async () => (await import("./commands/wait.ts")).Wait,
  port: async () => (await import("./commands/port.ts")).PortCommand,
  top: async () => (await import("./commands/top.ts")).Top,
  images: async () => (await import("./commands/images.ts")).Images,
  events: async () => (await import("./commands/events.ts")).Events,
  ls: async () => (await import("./commands/ls.ts")).Ls,
  daemon: async () => (await import("./commands/daemon.ts")).Daemon,
  config: async () => (await import("./commands/config.ts")).Config,
  convert: async () => (await import("./commands/config.ts")).Config,
  explain: async () => (await import("./commands/explain.ts")).Explain,
  version: async () => (await import("./commands/version.ts")).Version,
  "image bootstrap": async () => (await import("./commands/image/bootstrap.ts")).ImageBootstrap,
};
