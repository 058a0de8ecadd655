import { AppError } from "../../errors.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import {
  buildFlags,
  imageOptions,
  readScale,
  recreateFlags,
  recreatePolicy,
  scaleFlag,
  servicesArg,
  timeoutFlag,
} from "../options.ts";

export class Up extends SlipwayCommand {
  static override summary = "Bring the project to the state that its files declare";
  static override description =
    `Creates what is missing, replaces what has changed, and says why. Stays attached to the
services' output unless -d or --wait is given; Ctrl-C then stops them in order, twice kills them.`;
  static override examples = [
    "slipway up",
    "slipway up -d --wait",
    "slipway up --build web",
    "slipway up --abort-on-container-exit --exit-code-from tests",
    "slipway -f compose.yaml -f ci.yaml up -d --wait --wait-timeout 60",
  ];
  static override args = servicesArg;
  static override flags = {
    detach: Flags.boolean({ char: "d", summary: "Return when everything is started", exclusive: ["watch"] }),
    wait: Flags.boolean({ summary: "Return when everything runs, is healthy or has completed" }),
    "wait-timeout": Flags.integer({
      min: 1,
      helpValue: "SECONDS",
      summary: "Give up waiting, with status 124",
    }),
    ...buildFlags,
    ...recreateFlags,
    "always-recreate-deps": Flags.boolean({ summary: "With --force-recreate: dependencies too" }),
    "no-deps": Flags.boolean({ summary: "Leave services alone that are only depended on" }),
    "no-start": Flags.boolean({ summary: "Create containers without starting them" }),
    scale: scaleFlag,
    "remove-orphans": Flags.boolean({
      summary: "Remove containers of services that are no longer in the file",
    }),
    "renew-anon-volumes": Flags.boolean({
      char: "V",
      summary: "New anonymous volumes instead of the old ones",
    }),
    timeout: timeoutFlag,
    "abort-on-container-exit": Flags.boolean({ summary: "Stop everything when a container exits" }),
    "abort-on-container-failure": Flags.boolean({
      summary: "Stop everything when a container exits with a failure",
    }),
    "exit-code-from": Flags.string({
      helpValue: "SERVICE",
      summary: "End with this service, and with its exit status",
    }),
    attach: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "SERVICE",
      summary: "Show only these services' output",
    }),
    "attach-dependencies": Flags.boolean({ summary: "Also show the output of what the services depend on" }),
    "no-attach": Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "SERVICE",
      summary: "Do not show these services' output",
    }),
    "no-color": Flags.boolean({ summary: "No colours in the output" }),
    "no-log-prefix": Flags.boolean({ summary: "No names before the lines" }),
    timestamps: Flags.boolean({ summary: "Show the time of each line" }),
    watch: Flags.boolean({ char: "w", summary: "Also watch files and apply develop.watch" }),
    "dry-run": Flags.boolean({ summary: "Show what would be done, as `plan` does, and do nothing" }),
    yes: Flags.boolean({ char: "y", hidden: true }),
  };

  override async run(): Promise<number> {
    const { flags, words: services } = await this.parse(Up);
    const attached = !flags.detach && !flags.wait && !flags["no-start"];
    if (!attached && (flags["abort-on-container-exit"] || flags["exit-code-from"])) {
      throw new AppError("USAGE", "--abort-on-container-exit and --exit-code-from need an attached up", {
        hint: "Leave out -d and --wait.",
      });
    }
    const since = (Date.now() / 1000).toFixed(3);
    const connected = await this.context(flags);
    const context = this.quieted(connected, { pull: flags["quiet-pull"], build: flags["quiet-build"] });
    const recreate = recreatePolicy(flags);
    const source = this.source(flags, services);
    const options = {
      ...imageOptions(flags),
      services,
      dependencies: !flags["no-deps"],
      recreate,
      recreateDependencies: flags["always-recreate-deps"] || recreate === "never" ? recreate : "diverged",
      scale: readScale(flags.scale),
      removeOrphans: flags["remove-orphans"],
      start: !flags["no-start"],
      renewVolumes: flags["renew-anon-volumes"],
      timeout: flags.timeout,
      wait: flags.wait,
      waitTimeout: flags["wait-timeout"],
    } as const;
    if (flags["dry-run"]) {
      const { plan } = await import("../../verbs/plan.ts");
      const { printPlan } = await import("../../reconcile/print.ts");
      this.print(printPlan(await plan(source, options, context)));
      return 0;
    }
    const { up } = await import("../../verbs/up.ts");
    const { graph, plan } = await up(source, options, context);
    if (!attached) return 0;
    const report = await this.report(flags);
    report.close();
    const names = plan.decisions.filter(({ subject }) => subject === "container").map(({ id }) => id);
    const shown = graph.services.filter((name) => {
      if (flags.attach) return flags.attach.includes(name);
      // As docker compose has it: of services that were named, only their own output.
      if (services.length > 0 && !services.includes(name) && !flags["attach-dependencies"]) return false;
      return !flags["no-attach"]?.includes(name) && graph.project.services[name]?.attach !== false;
    });
    const { linePrinter } = await import("../../ui/lines.ts");
    const paint = await this.paint(flags, flags["no-color"]);
    const onLine = linePrinter((text) => process.stdout.write(text), names, {
      prefix: !flags["no-log-prefix"],
      timestamps: flags.timestamps,
      paint,
    });
    if (flags.watch) {
      const { watch } = await import("../../verbs/watch.ts");
      void watch(source, { services }, context).catch((error: unknown) => this.interrupt.fail(error));
    }
    const { stayAttached } = await import("../../verbs/attached.ts");
    const status = await stayAttached(
      graph,
      {
        shown,
        started: new Set(
          plan.steps.flatMap(({ operation }) =>
            operation.kind === "startContainer" ? [`${operation.service}-${operation.number}`] : [],
          ),
        ),
        since,
        abortOn: flags["abort-on-container-exit"]
          ? "exit"
          : flags["abort-on-container-failure"]
            ? "failure"
            : undefined,
        exitCodeFrom: flags["exit-code-from"],
        endless: flags.watch,
        timeout: flags.timeout,
        onLine,
        onExit: (name, code) => this.print(`${name} exited with code ${code}`),
      },
      context,
    );
    if (this.interrupt.failure !== undefined) throw this.interrupt.failure;
    return status;
  }
}
