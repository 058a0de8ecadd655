/** What is said about an image: how it was built, what is in it. */

import { formatPlatform } from "../plan/arguments.ts";
import type { BuildPlan, Step } from "../plan/types.ts";
import type { BuildRequest } from "../types.ts";

/** @see github.com/in-toto/attestation spec/v0.1.0/statement.md */
export interface Statement {
  readonly _type: "https://in-toto.io/Statement/v0.1";
  readonly predicateType: string;
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicate: object;
}

export function statement(
  predicateType: string,
  predicate: object,
  manifest: string,
  tags: readonly string[],
  platform: { readonly os: string; readonly architecture: string },
): Statement {
  const sha256 = manifest.replace(/^sha256:/, "");
  const query = `?platform=${encodeURIComponent(formatPlatform(platform))}`;
  const names =
    tags.length === 0 ? ["_"] : tags.map((tag) => `pkg:docker/${tag.replace(/:([^:/]*)$/, "@$1")}${query}`);
  const subject = names.map((name) => ({ name, digest: { sha256 } }));
  return { _type: "https://in-toto.io/Statement/v0.1", predicateType, subject, predicate };
}

export const PROVENANCE = "https://slsa.dev/provenance/v0.2";

export interface BuildFacts {
  readonly request: BuildRequest;
  readonly plan: BuildPlan;
  readonly dockerfile: { readonly text: string; readonly name: string };
  readonly started: Date;
  readonly finished: Date;
  readonly invocation: string;
}

/**
 * SLSA provenance as BuildKit words it. `min` says what the image was made from; `max` also how: arguments, the
 * Dockerfile and its steps. Secrets are named, never told.
 *
 * @see docs.docker.com/build/metadata/attestations/slsa-provenance, slsa.dev/spec/v0.2/provenance
 */
export function provenance(mode: "min" | "max", facts: BuildFacts): object {
  const { request, plan, dockerfile, started, finished, invocation } = facts;
  const isMax = mode === "max";
  const remote = request.context.kind === "remote" ? request.context.url : undefined;
  const parameters = {
    frontend: "dockerfile.v0",
    ...(isMax && {
      args: {
        ...prefixed("build-arg:", request.args),
        ...prefixed("label:", request.labels),
        ...(request.target && { target: request.target }),
        ...(request.noCache && { "no-cache": "" }),
      },
      ...((request.secrets?.length ?? 0) > 0 && {
        secrets: request.secrets!.map(({ id }) => ({ id, optional: true })),
      }),
      ...((request.ssh?.length ?? 0) > 0 && { ssh: request.ssh!.map(({ id }) => ({ id, optional: true })) }),
    }),
    ...(remote === undefined && { locals: [{ name: "context" }, { name: "dockerfile" }] }),
  };
  return {
    builder: { id: "" },
    buildType: "https://mobyproject.org/buildkit@v1",
    materials: materialsOf(plan, remote),
    invocation: {
      configSource: { ...(remote !== undefined && { uri: remote }), entryPoint: dockerfile.name },
      parameters,
      environment: { platform: formatPlatform(plan.target.image) },
    },
    ...(isMax && { buildConfig: { steps: stepsOf(plan) } }),
    metadata: {
      buildInvocationID: invocation,
      buildStartedOn: started.toISOString(),
      buildFinishedOn: finished.toISOString(),
      completeness: { parameters: isMax, environment: true, materials: remote !== undefined },
      reproducible: false,
      ...(isMax && { "https://mobyproject.org/buildkit@v1#metadata": { source: sourceOf(dockerfile) } }),
    },
  };
}

function materialsOf(plan: BuildPlan, remote: string | undefined): object[] {
  const images = new Map<string, object>();
  const add = (base: BuildPlan["target"]["base"]): void => {
    if (base.kind !== "image") return;
    const { reference, id, config } = base.image;
    const uri = `pkg:docker/${reference.replace(/^docker\.io\/(library\/)?/, "").replace(/:([^:/]*)$/, "@$1")}?platform=${encodeURIComponent(formatPlatform(config))}`;
    images.set(uri, { uri, digest: { sha256: id.replace(/^sha256:/, "") } });
  };
  for (const { base, steps } of plan.stages) {
    add(base);
    for (const step of steps) {
      if (step.kind === "run") for (const { from } of step.mounts) add(from);
      if (step.kind === "copy") for (const item of step.items) if (item.kind === "path") add(item.from);
    }
  }
  const fetched = plan.stages.flatMap(({ steps }) => steps.flatMap(remotesOf));
  return [...images.values(), ...(remote === undefined ? [] : [{ uri: remote }]), ...fetched];
}

function remotesOf(step: Step): object[] {
  if (step.kind !== "copy") return [];
  return step.items.flatMap((item) => {
    if (item.kind === "git") return [{ uri: `${item.remote}${item.ref && `#${item.ref}`}` }];
    if (item.kind !== "url") return [];
    const [algorithm = "", hex = ""] = item.checksum?.split(":") ?? [];
    return [{ uri: item.url, ...(hex !== "" && { digest: { [algorithm]: hex } }) }];
  });
}

function stepsOf(plan: BuildPlan): object[] {
  return plan.stages.flatMap(({ name, steps }) =>
    steps.map(({ title, range }) => ({ stage: name, name: title, line: range.start.line })),
  );
}

function sourceOf({ text, name }: BuildFacts["dockerfile"]): object {
  return { infos: [{ filename: name, language: "Dockerfile", data: Buffer.from(text).toString("base64") }] };
}

function prefixed(prefix: string, values: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));
}
