import { relative } from "node:path";
import { imageWork } from "../build/work.ts";
import type { Context } from "../context.ts";
import { AppError } from "../errors.ts";
import { buildGraph, narrow } from "../graph/graph.ts";
import type { Project, WatchRule } from "../model/types.ts";
import { graceSeconds } from "../reconcile/body/body.ts";
import { observe, observeContainers } from "../reconcile/observe.ts";
import { PLAN_DEFAULTS } from "../reconcile/options.ts";
import { planUp } from "../reconcile/plan.ts";
import { type Match, matches, type ServiceRules } from "../watch/rules.ts";
import { listFiles, type SyncFile, syncFiles } from "../watch/sync.ts";
import { carryOut } from "./carry.ts";
import { execIn } from "./exec.ts";
import { doImageWork } from "./images.ts";
import { assumeProvided } from "./providers.ts";

/** Does for a batch of changed files what the rules of one service say. A failure is told and the watch goes on. */
export async function applyChanges(
  project: Project,
  given: ServiceRules,
  paths: readonly string[],
  context: Context,
): Promise<void> {
  const { service } = given;
  const begun = performance.now();
  const found = paths.flatMap((path) => matches(given, path).map((match) => ({ path, ...match })));
  const names = paths.map((path) => relative(project.workingDir, path));
  const what = names.length <= 2 ? names.join(", ") : `${names[0]} and ${names.length - 1} more`;
  try {
    const did = await act(project, service, found, context);
    const ms = Math.round(performance.now() - begun);
    context.report.on({ subject: "watch", id: service, phase: "note", text: `${what} → ${did} ${ms} ms` });
  } catch (error) {
    if (context.signal.aborted) return;
    const text = error instanceof Error ? error.message : String(error);
    const said = error instanceof AppError ? (error.said?.lines ?? []) : [];
    const hint = said.map((line) => `\n  │ ${line}`).join("");
    context.report.on({
      subject: "watch",
      id: service,
      phase: "warn",
      text: `${what} → failed: ${text}${hint}`,
    });
  }
}

/** Copies what rules with `initial_sync` cover, so that containers begin with what is here. */
export async function syncInitially(project: Project, given: ServiceRules, context: Context): Promise<void> {
  const files: SyncFile[] = [];
  for (const rule of given.rules.filter(({ initial_sync, target }) => initial_sync && target)) {
    for (const path of await listFiles(
      rule.path,
      (path) => matches(given, path).some((match) => match.rule === rule) || path === rule.path,
    )) {
      const target = matches(given, path).find((match) => match.rule === rule)?.target;
      if (target) files.push({ path, target });
    }
  }
  if (files.length === 0) return;
  const count = await syncFiles(
    files,
    await runningContainers(project, given.service, context),
    context.engine,
  );
  context.report.on({
    subject: "watch",
    id: given.service,
    phase: "note",
    text: `${count} files synced at the start`,
  });
}

async function act(
  project: Project,
  service: string,
  found: readonly (Match & { readonly path: string })[],
  context: Context,
): Promise<string> {
  if (found.some(({ rule }) => rule.action === "rebuild")) {
    await rebuild(project, service, context);
    return "rebuilt";
  }
  const containers = await runningContainers(project, service, context);
  const files = found.flatMap(({ path, rule, target }) =>
    rule.action !== "restart" && target ? [{ path, target }] : [],
  );
  const count = files.length > 0 ? await syncFiles(files, containers, context.engine) : 0;
  const synced = `synced ${count} file${count === 1 ? "" : "s"}`;
  const executed = found.find(({ rule }) => rule.action === "sync+exec")?.rule;
  if (executed) return `${synced}, ${await runHook(executed, containers, context)}`;
  if (!found.some(({ rule }) => rule.action.includes("restart"))) return synced;
  const grace = project.services[service]?.stop_grace_period;
  const timeout = grace === undefined ? {} : { timeout: graceSeconds(grace) };
  await Promise.all(containers.map((id) => context.engine.restartContainer(id, timeout)));
  return files.length > 0 ? `${synced}, restarted` : "restarted";
}

/** Builds the image and replaces the containers of this service alone. */
async function rebuild(project: Project, service: string, context: Context): Promise<void> {
  const work = imageWork(project, [service], {}, { build: "always", pull: undefined });
  await doImageWork(project, work, {}, context);
  const observed = await observe(project, context.engine);
  const graph = assumeProvided(buildGraph(project), observed.containers);
  const plan = planUp(narrow(graph, [service]), observed, PLAN_DEFAULTS);
  await carryOut(graph.project, observed, plan, context);
}

async function runHook(
  { exec }: WatchRule,
  containers: readonly string[],
  context: Context,
): Promise<string> {
  const command = exec?.command ?? [];
  const codes = await Promise.all(
    containers.map((id) =>
      execIn(
        id,
        {
          command,
          tty: false,
          stdin: false,
          detach: false,
          environment: Object.entries(exec?.environment ?? {}).map(([key, value]) => `${key}=${value ?? ""}`),
          user: exec?.user,
          workdir: exec?.working_dir,
          privileged: exec?.privileged ?? false,
          size: undefined,
        },
        async ({ output }) => {
          for await (const _ of output); // What a hook prints is its own affair; its status is told.
        },
        context.engine,
      ),
    ),
  );
  const failed = codes.find((code) => code !== 0);
  return failed === undefined ? "executed" : `hook exited with ${failed}`;
}

async function runningContainers(
  project: Project,
  service: string,
  { engine }: Context,
): Promise<readonly string[]> {
  const all = await observeContainers(project.name, engine);
  return all
    .filter((found) => found.service === service && found.state === "running" && !found.oneoff)
    .map(({ id }) => id);
}
