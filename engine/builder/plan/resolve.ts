/** What a stage begins with: nothing, an image, a named context. */
import { familiar, full, parseReference, withDefaultTag } from "../../images/reference.ts";
import { DockerfileError, locate } from "../dockerfile/position.ts";
import { didYouMean } from "../dockerfile/text.ts";
import { formatPlatform } from "./arguments.ts";
import type { PlanContext } from "./context.ts";
import { Draft } from "./draft.ts";
import type { StageState, Stages } from "./state.ts";

const COMMON = ["alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora"];

/**
 * @param needed whether the target needs it; a name that is not needed is only checked for its form
 * @throws {DockerfileError} with the FROM's place where the name is wrong or the image cannot be had
 */
export async function resolveBase(
  stage: StageState,
  needed: boolean,
  context: PlanContext,
  stages: Stages,
): Promise<void> {
  if (stage.parent !== undefined || stage.planned || stage.resolved) return;
  stage.resolved = needed;
  try {
    if (stage.base === "scratch" && !stage.replaced) {
      stage.draft = Draft.empty(context.options.platform);
      stage.source = { kind: "empty" };
      if (stage.external) stage.planned = true;
      return;
    }
    await resolveNamed(stage, needed, context, stages);
    if (stage.external) stage.planned = true;
  } catch (error) {
    throw locate(error, stage.range);
  }
}

async function resolveNamed(
  stage: StageState,
  needed: boolean,
  context: PlanContext,
  stages: Stages,
): Promise<void> {
  const { options, sources, linter } = context;
  const reference = referenceOf(stage.base);
  if (!needed) return;
  const named = await sources.namedContext(
    stage.replaced ? stage.name : familiar(reference).replace(/:latest$/, ""),
  );
  if (named !== undefined) {
    stage.source = named.source;
    stage.draft =
      named.config === undefined ? directoryDraft(stage.base, context) : Draft.fromImage(named.config);
    return;
  }
  const name = full(reference);
  const platform = stage.platform ?? options.platform;
  const image = await sources.image(name, platform).catch((cause: unknown) => {
    const hint = didYouMean(stage.base, [...stages.names, ...COMMON], true);
    throw new DockerfileError(`${stage.base}: ${(cause as Error).message}${hint}`, stage.range, { cause });
  });
  const { architecture, os } = image.config;
  if (os !== platform.os || architecture !== platform.architecture) {
    const words: [string, string, string] = [
      stage.base,
      formatPlatform(platform),
      formatPlatform(image.config),
    ];
    linter.report("InvalidBaseImagePlatform", stage.range, words);
  }
  stage.draft = Draft.fromImage(image.config);
  const bare = image.config.rootfs.diff_ids.length === 0;
  stage.source = bare ? { kind: "empty" } : { kind: "image", image };
  if (!bare) stage.stepTitle(`FROM ${name}`);
}

/** An image of nothing but a directory's files, described as BuildKit does it. */
function directoryDraft(name: string, { options, epoch }: PlanContext): Draft {
  const draft = Draft.empty(options.platform);
  draft.record(`local source for ${name}`, true, epoch, "buildkit.exporter.image.v0");
  return draft;
}

function referenceOf(base: string): ReturnType<typeof parseReference> {
  try {
    return withDefaultTag(parseReference(base));
  } catch (cause) {
    throw new DockerfileError(
      `failed to parse stage name "${base}": ${(cause as Error).message}`,
      undefined,
      { cause },
    );
  }
}
