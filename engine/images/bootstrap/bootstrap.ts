/**
 * Base images without a registry: made from Debian's packages, as apt of this machine fetches and verifies them.
 * Packages are unpacked here and configured in a container of ours.
 */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Lease } from "../leases.ts";
import { familiar, full } from "../reference.ts";
import type { ImageStore } from "../store.ts";
import type { Image, Progress } from "../types.ts";
import { makeBusybox } from "./busybox.ts";
import { makeDebian } from "./debian.ts";
import { type BootstrapOptions, type BootstrapPlan, LABEL, machineSuite, planBootstrap } from "./plan.ts";

/** A step in a container: the part of containers' BuildStep that is used here. */
export interface ConfigureStep {
  readonly lowers: readonly string[];
  readonly upper: string;
  readonly work: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly network: "none";
  readonly hostname: string;
  output(stream: "stdout" | "stderr", chunk: Uint8Array): void;
  readonly signal?: AbortSignal;
}

export interface StepRunner {
  runStep(step: ConfigureStep): Promise<{ readonly exitCode: number }>;
}

export interface BootstrapDeps {
  readonly store: ImageStore;
  readonly lease: Lease;
  readonly runner: StepRunner;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/** A scratch directory on the store's file system, and what goes on in it. */
export interface Workshop extends BootstrapDeps {
  readonly directory: string;
  /** Says what is done now. */
  say(status: string): void;
}

export interface Bootstrapped {
  readonly id: string;
  /** False: it was there. */
  readonly fresh: boolean;
}

/**
 * Makes a base image, unless it is there as it is asked for.
 *
 * @throws {EngineError} invalid, unavailable
 */
export async function bootstrap(
  name: string,
  options: BootstrapOptions,
  deps: BootstrapDeps,
): Promise<Bootstrapped> {
  const { store, progress } = deps;
  const plan = planBootstrap(name, options, machineSuite());
  const shown = familiar(plan.reference);
  const present = store.idOfName(plan.reference);
  if (present !== undefined && isAsPlanned(store.get(present), plan)) {
    progress({ status: `Status: Image is up to date for ${shown}` });
    return { id: present, fresh: false };
  }
  const directory = join(store.paths.ingest, `bootstrap-${randomBytes(6).toString("hex")}`);
  await mkdir(directory, { mode: 0o700 });
  try {
    const workshop: Workshop = { ...deps, directory, say: (status) => progress({ status }) };
    const config = plan.kind === "busybox" ? await makeBusybox(workshop) : await makeDebian(plan, workshop);
    const id = await store.add(Buffer.from(JSON.stringify(config)));
    store.setName(plan.reference, id);
    await store.catalog.save();
    progress({ status: `Digest: ${id}` });
    progress({ status: `Status: Made ${shown} from this machine's Debian packages` });
    return { id, fresh: true };
  } finally {
    await store.trash.discard(directory);
  }
}

/** An image of that name that came from elsewhere is left alone; one made here with other packages is made anew. */
function isAsPlanned(image: Image | undefined, plan: BootstrapPlan): boolean {
  const labels = image?.config.config?.Labels ?? {};
  if (plan.kind === "busybox" || labels[LABEL.suite] === undefined) return image !== undefined;
  return (
    labels[LABEL.suite] === plan.suite &&
    labels[LABEL.variant] === plan.variant &&
    (labels[LABEL.include] ?? "") === plan.include.join(" ")
  );
}

/** The key under which two callers ask for the same work. */
export function bootstrapKey(name: string): string {
  return full(planBootstrap(name, { suite: "any" }, "any").reference);
}
