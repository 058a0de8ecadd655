/** Flags and arguments that several commands share. */

import { AppError } from "../errors.ts";
import * as Args from "./args.ts";
import * as Flags from "./flags.ts";

// oclif reads standard input for an argument that is not given, unless it is told not to.
export const servicesArg = {
  service: Args.string({
    multiple: true,
    description: "Services of the project; none: all",
  }),
};

export const timeoutFlag = Flags.integer({
  char: "t",
  min: -1,
  helpValue: "SECONDS",
  summary: "Time to stop in, instead of the service's stop_grace_period",
});

export const dryRunFlag = Flags.boolean({ summary: "Show what would be done, and do nothing" });

export const scaleFlag = Flags.string({
  multiple: true,
  multipleNonGreedy: true,
  helpValue: "SERVICE=N",
  summary: "Number of containers of a service",
});

/** @throws {AppError} USAGE */
export function readScale(texts: readonly string[] = []): Readonly<Record<string, number>> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, service, count] = /^([^=]+)=(\d+)$/.exec(text) ?? [];
      if (service === undefined) {
        throw new AppError("USAGE", `--scale ${text}: write SERVICE=NUMBER`, {
          hint: "Such as --scale web=3.",
        });
      }
      return [service, Number(count)];
    }),
  );
}

export const buildFlags = {
  build: Flags.boolean({ summary: "Build images before starting", exclusive: ["no-build"] }),
  "no-build": Flags.boolean({ summary: "Do not build, even where an image is missing" }),
  pull: Flags.string({
    options: ["always", "missing", "never"],
    summary: "When to pull images, whatever the services say",
  }),
  "quiet-build": Flags.boolean({ summary: "Do not show the steps of builds" }),
  "quiet-pull": Flags.boolean({ summary: "Do not show how far pulls are" }),
};

export function imageOptions(flags: { build: boolean; "no-build": boolean; pull?: string | undefined }) {
  return {
    build: flags["no-build"] ? "never" : flags.build ? "always" : "missing",
    pull: flags.pull as "always" | "missing" | "never" | undefined,
  } as const;
}

export const recreateFlags = {
  "force-recreate": Flags.boolean({
    summary: "Replace containers even if nothing has changed",
    exclusive: ["no-recreate"],
  }),
  "no-recreate": Flags.boolean({ summary: "Keep containers even if their service has changed" }),
};

export function recreatePolicy(flags: { "force-recreate": boolean; "no-recreate": boolean }) {
  return flags["force-recreate"] ? "force" : flags["no-recreate"] ? "never" : "diverged";
}

/** `-e KEY=VALUE`, or `-e KEY` to pass our own value on. */
export function readEnvironment(texts: readonly string[] = []): string[] {
  return texts.map((text) => (text.includes("=") ? text : `${text}=${process.env[text] ?? ""}`));
}
