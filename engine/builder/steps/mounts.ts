/** What `RUN --mount` puts into a step: trees, caches, secrets, agents. Nothing of it is in the layer. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { StepMount } from "../../containers/types.ts";
import { EngineError } from "../../errors.ts";
import type { TreeRoot } from "../../native/trees.ts";
import { digestOf } from "../cache.ts";
import type { Found, SourceTree } from "../context/tree.ts";
import type { MountPlan, RunStep } from "../plan/types.ts";
import { type OpenAgent, openAgent } from "./agent.ts";
import type { StepTools } from "./types.ts";

/** Docker's limit of a secret. */
const MOST_SECRET = 500 * 1024;

interface TreeMount {
  readonly plan: MountPlan;
  readonly tree: SourceTree;
  readonly found: Found;
}

export interface MountedStep {
  readonly inputs: Readonly<Record<string, string>>;
  readonly plans: readonly MountPlan[];
  readonly trees: readonly TreeMount[];
}

export interface OpenedMounts {
  readonly mounts: readonly StepMount[];
  readonly env: readonly string[];
  close(): Promise<void>;
}

/** Finds what bind mounts show: their content is part of the step's key, a cache's and a secret's is not. */
export async function prepareMounts(step: RunStep, tools: StepTools): Promise<MountedStep> {
  const trees: TreeMount[] = [];
  const inputs: Record<string, string> = {};
  for (const [index, plan] of step.mounts.entries()) {
    const { type, target, readonly, size, mode, uid, gid, env, source, required } = plan;
    // A cache's id is no part of the key, what is asked of the client is.
    const id = type === "secret" || type === "ssh" ? plan.id : "";
    const own = digestOf([type, target, readonly, size, mode, uid, gid, env, id, required]);
    if (type === "bind") {
      const tree = await tools.tree(plan.from);
      const found = await tree.find(source);
      if (found === undefined)
        throw new EngineError("invalid", `"${source}": not found, for the mount at ${target}`);
      trees.push({ plan, tree, found });
      inputs[`mount ${index} ${target}`] = digestOf([own, (await tree.content(found, new Set())).digest]);
    } else inputs[`mount ${index} ${target}`] = own;
  }
  return { inputs, plans: step.mounts, trees };
}

/** Makes everything ready; `close` lets go of caches and removes copies. */
export async function openMounts(step: MountedStep, tools: StepTools): Promise<OpenedMounts> {
  const mounts: StepMount[] = [];
  const env: string[] = [];
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const each of closing.reverse()) await each();
  };
  try {
    for (const plan of step.plans) {
      if (plan.type === "bind") {
        const mount = step.trees.find((each) => each.plan === plan)!;
        mounts.push(await bindMount(mount, tools));
      } else if (plan.type === "tmpfs") {
        mounts.push({
          type: "tmpfs",
          target: plan.target,
          ...(plan.size !== undefined && { size: plan.size }),
        });
      } else if (plan.type === "cache") {
        const cache = await tools.cacheMounts.acquire(plan, tools);
        closing.push(() => cache.release());
        mounts.push(await cacheMount(cache.directory, plan, tools));
      } else if (plan.type === "secret") await addSecret(plan, tools, mounts, env);
      else {
        const agent = await addAgent(plan, tools, mounts, env);
        if (agent !== undefined) closing.push(agent.close);
      }
    }
    return { mounts, env, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** All of a cache, or with `source` and no `from` a directory that is in it. */
async function cacheMount(directory: string, plan: MountPlan, tools: StepTools): Promise<StepMount> {
  const { target, readonly, source, from } = plan;
  const mount = { type: "bind", source: directory, target, readonly } as const;
  if (source === "/" || from.kind !== "empty") return mount;
  const found = await tools.workers.stat({ kind: "dir", path: directory }, source, { follow: true });
  if (found === undefined)
    throw new EngineError("invalid", `"${source}": not found in the cache mount ${plan.id}`);
  return { ...mount, subpath: found.path.replace(/^\/+/, ""), directory: found.type === "dir" };
}

/** The files as they lie where nothing of them is hidden and nothing may be written; a copy otherwise. */
async function bindMount({ plan, tree, found }: TreeMount, tools: StepTools): Promise<StepMount> {
  const { target, readonly } = plan;
  if (readonly && tree.hiddenBelow(found.path).length === 0) {
    const root = tree.root.kind === "dir" ? tree.root.path : await soleLayer(tree.root, found, tools);
    // The path is walked anew when it is mounted: somebody may have put a link into it since.
    const mount = {
      type: "bind",
      target,
      readonly,
      subpath: found.path,
      directory: found.type === "dir",
    } as const;
    if (root !== undefined) return { ...mount, source: root };
  }
  const copy = await tools.scratch();
  const isDirectory = found.type === "dir";
  await tools.workers.copy(
    tree.root,
    { kind: "dir", path: copy },
    {
      items: [{ source: found.path, target: isDirectory ? "tree" : "file", contents: isDirectory }],
      exclude: tree.hiddenBelow(found.path),
      mtime: "keep",
    },
  );
  return { type: "bind", source: join(copy, isDirectory ? "tree" : "file"), target, readonly };
}

/** The one layer that has all of a path; most of what is mounted from images was put there by one step. */
async function soleLayer(
  root: TreeRoot,
  found: Found,
  { workers }: Pick<StepTools, "workers">,
): Promise<string | undefined> {
  if (root.kind !== "overlay" || found.path === "") return undefined;
  let sole: string | undefined;
  for (const path of root.lowers) {
    const stat = await workers.stat({ kind: "dir", path }, found.path);
    if (stat === undefined) continue;
    // The topmost one hides a file below it, but a directory is made of all that have it.
    if (sole !== undefined || stat.type !== found.type) return undefined;
    sole = path;
    if (found.type !== "dir") return sole;
  }
  return sole;
}

async function addSecret(
  plan: MountPlan,
  tools: StepTools,
  mounts: StepMount[],
  env: string[],
): Promise<void> {
  const secret = await tools.secret(plan.id);
  if (secret === undefined) {
    if (plan.required)
      throw new EngineError("invalid", `secret ${plan.id}: not found, and the step requires it`);
    return;
  }
  const content = secret.value ?? (await readSecret(plan.id, secret.file ?? ""));
  if (plan.env !== undefined) env.push(`${plan.env}=${Buffer.from(content).toString("utf8")}`);
  if (plan.target === "") return;
  const { target, mode = 0o400, uid = 0, gid = 0 } = plan;
  mounts.push({ type: "file", target, content, mode, uid, gid });
}

async function readSecret(id: string, path: string): Promise<Uint8Array> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw new EngineError("invalid", `secret ${id}: ${path} is no file`);
    if (stats.size > MOST_SECRET)
      throw new EngineError(
        "invalid",
        `secret ${id}: invalid secret size ${stats.size}, at most ${MOST_SECRET} bytes`,
      );
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw new EngineError("invalid", `secret ${id}: ${path} cannot be read`, { cause });
  }
}

async function addAgent(
  plan: MountPlan,
  tools: StepTools,
  mounts: StepMount[],
  env: string[],
): Promise<OpenAgent | undefined> {
  // The variable is set without an agent too, as the newest BuildKit does: programs then say what is missing.
  if (!env.some((each) => each.startsWith("SSH_AUTH_SOCK="))) env.push(`SSH_AUTH_SOCK=${plan.target}`);
  const socket = await tools.agent(plan.id);
  if (socket !== undefined) {
    const agent = await openAgent(plan, socket, tools);
    mounts.push({ type: "bind", source: agent.socket, target: plan.target, readonly: false });
    return agent;
  }
  if (!plan.required) return undefined;
  throw new EngineError(
    "invalid",
    `unset ssh forward key ${plan.id}: give the build an agent (--ssh ${plan.id})`,
  );
}
