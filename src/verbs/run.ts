import { randomBytes } from "node:crypto";
import type { TerminalSize } from "../client/types/common.ts";
import type { CreateContainerOptions } from "../client/types/containers.ts";
import type { Attachment } from "../client/types/streams.ts";
import type { Context } from "../context.ts";
import { throwAll } from "../errors.ts";
import { buildGraph, dependenciesOf, narrow } from "../graph/graph.ts";
import { checkServices, withDependencies } from "../graph/walk.ts";
import { LABEL } from "../labels.ts";
import { load } from "../model/load.ts";
import type { Project, ProjectSource, Service } from "../model/types.ts";
import { containerBody } from "../reconcile/body/body.ts";
import { needsFiles } from "../reconcile/body/mounts.ts";
import { checkServices as checkDefinitions } from "../reconcile/check.ts";
import { serviceDefinition } from "../reconcile/definition.ts";
import { executorsFor } from "../reconcile/executors.ts";
import { explain } from "../reconcile/explain.ts";
import { imageOf, oneOffName } from "../reconcile/names.ts";
import { observe } from "../reconcile/observe.ts";
import type { Observed } from "../reconcile/observed.ts";
import { PLAN_DEFAULTS } from "../reconcile/options.ts";
import { planUp } from "../reconcile/plan.ts";
import { Readiness } from "../reconcile/ready.ts";
import { carryOut } from "./carry.ts";
import { ensureImages } from "./images.ts";
import { reportWarnings } from "./notes.ts";
import { programFailure } from "./program.ts";
import { containersOnly, provide } from "./providers.ts";
import { withApiSocket } from "./socket.ts";

export interface RunOptions {
  readonly service: string;
  readonly command: readonly string[]; // empty: the service's own
  readonly change: Partial<Service>; // what the flags say over the file
  readonly dependencies: boolean;
  readonly servicePorts: boolean;
  readonly useAliases: boolean;
  readonly name: string | undefined;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly detach: boolean;
  readonly remove: boolean;
  readonly build: boolean;
  readonly pull: "always" | "missing" | "never" | undefined;
  readonly removeOrphans: boolean;
  readonly size: TerminalSize | undefined;
  readonly forward: Forward;
}

/** Where signals to this process go while the program runs; the returned function ends it. */
export type Forward = (send: (signal: string) => void) => () => void;

export type JoinRun = (
  attachment: Attachment,
  resize: (size: TerminalSize) => Promise<void>,
) => Promise<void>;

/**
 * Runs a service once, in a container of its own beside those of `up`, with what it depends on started first.
 *
 * @param begin called when the progress is over and the program's own output begins
 * @returns the program's exit status; 0 when detached
 */
export async function runOnce(
  source: ProjectSource,
  options: RunOptions,
  begin: () => void,
  join: JoinRun,
  context: Context,
): Promise<{ readonly status: number; readonly name: string }> {
  const loaded = await withApiSocket(await load(source), context);
  const all = buildGraph(loaded);
  checkServices(all, [options.service]);
  reportWarnings(loaded, context.report);
  const local = context.engine.address.startsWith("unix:");
  throwAll(await checkDefinitions(loaded, [options.service], local));
  const wanted = narrow(
    all,
    options.dependencies ? withDependencies(all, [options.service]) : [options.service],
  );
  const { project, services: needed } = await provide(wanted, context);
  await ensureImages(
    project,
    needed,
    { build: options.build ? "always" : "missing", pull: options.pull },
    context,
  );
  const observed = await observe(project, context.engine);
  await bringUpDependencies(project, needed, observed, options, context);
  if (options.dependencies) await awaitConditions(project, options.service, context);

  const { engine } = context;
  const { body, name } = oneOff(project, observed, options);
  const created = await explain(project, options.service, engine, () =>
    engine.createContainer({ name, ...body }),
  );
  const service = project.services[options.service]!;
  if (needsFiles(project, service)) {
    const readiness = new Readiness(project, engine, context.signal);
    const { putFiles } = executorsFor(project, observed, engine, readiness);
    await putFiles({ kind: "putFiles", why: "", service: service.name, number: 1, container: created.Id });
  }
  begin();
  try {
    return { status: await runToEnd(project, created.Id, options, join, context), name };
  } finally {
    if (options.remove && !options.detach)
      await engine.removeContainer(created.Id, { force: true, volumes: true });
  }
}

async function runToEnd(
  project: Project,
  id: string,
  options: RunOptions,
  join: JoinRun,
  { engine }: Context,
): Promise<number> {
  const start = (): Promise<void> =>
    explain(project, options.service, engine, () =>
      engine.startContainer(id).catch((error: unknown) => {
        throw programFailure(error);
      }),
    );
  if (options.detach) {
    await start();
    return 0;
  }
  const { tty, stdin, size } = options;
  const attachment = await engine.attach(id, { stdin, stdout: true, stderr: true, tty });
  const { result } = await engine.beginWait(id, { condition: "next-exit" });
  await start();
  return await accompany(id, options, engine, async () => {
    if (tty && size) await engine.resizeContainer(id, size).catch(() => undefined); // It may have ended already.
    await join(attachment, (changed) => engine.resizeContainer(id, changed));
    return (await result).StatusCode;
  });
}

/** Waits for a program whose container gets the signals that come here. */
export async function accompany(
  id: string,
  { forward }: { readonly forward: Forward },
  engine: Context["engine"],
  wait: () => Promise<number>,
): Promise<number> {
  const end = forward((signal) => {
    // It may have ended just now: then there is nothing to be told.
    void engine.killContainer(id, { signal }).catch(() => undefined);
  });
  try {
    return await wait();
  } finally {
    end();
  }
}

/** Networks and volumes of the service, and its dependencies altogether; the service's own containers stay as they are. */
async function bringUpDependencies(
  project: Project,
  needed: readonly string[],
  observed: Observed,
  { service, removeOrphans }: RunOptions,
  context: Context,
): Promise<void> {
  const graph = narrow(buildGraph(project), needed);
  const plan = planUp(graph, observed, { ...PLAN_DEFAULTS, removeOrphans, scale: { [service]: 0 } });
  const own = new Set(
    plan.steps
      .filter(({ operation }) => "service" in operation && operation.service === service)
      .map(({ id }) => id),
  );
  const steps = plan.steps.filter(({ id }) => !own.has(id));
  await carryOut(
    project,
    observed,
    { ...plan, steps: steps.map((step) => ({ ...step, after: step.after.filter((id) => !own.has(id)) })) },
    context,
  );
}

async function awaitConditions(project: Project, service: string, context: Context): Promise<void> {
  const readiness = new Readiness(project, context.engine, context.signal);
  try {
    const edges = dependenciesOf(containersOnly(buildGraph(project)), service);
    await Promise.all(edges.map(({ to, condition }) => readiness.wait(to, condition)));
  } finally {
    readiness.close();
  }
}

function oneOff(
  project: Project,
  observed: Observed,
  options: RunOptions,
): { readonly body: CreateContainerOptions; readonly name: string } {
  const slug = randomBytes(32).toString("hex");
  const own = project.services[options.service]!;
  const { container_name: _, ports, ...rest } = own;
  const service: Service = {
    ...rest,
    ...(options.servicePorts && ports && { ports }),
    ...(options.command.length > 0 && { command: options.command }),
    ...options.change,
    restart: "no",
    tty: options.tty,
    stdin_open: options.stdin,
  };
  const name = options.name ?? oneOffName(project, own.name, slug.slice(0, 12));
  const definition = serviceDefinition(project, service, observed.contents);
  const image = observed.images[imageOf(project, service)];
  const body = containerBody({ project, service, number: 1, name, image, definition, carried: {} });
  for (const endpoint of Object.values(body.NetworkingConfig?.EndpointsConfig ?? {})) {
    if (!options.useAliases) endpoint.Aliases = [name];
  }
  return {
    name,
    body: {
      ...body,
      AttachStdin: options.stdin && !options.detach,
      StdinOnce: options.stdin && !options.detach,
      Labels: { ...body.Labels, [LABEL.oneoff]: "True", [LABEL.slug]: slug },
    },
  };
}
