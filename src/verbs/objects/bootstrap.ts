import type { Context } from "../../context.ts";
import { AppError } from "../../errors.ts";

export interface BootstrapOptions {
  readonly reference: string; // `debian:bookworm-slim`
  readonly include: readonly string[]; // more packages
  readonly variant: string | undefined;
  readonly suite: string | undefined;
}

/**
 * Makes a base image from the machine's own packages, where there is none of that name yet.
 *
 * @throws {AppError} ENGINE_TOO_OLD against an engine that cannot; IMAGE_PULL
 */
export async function bootstrap(
  options: BootstrapOptions,
  { engine, report, signal }: Context,
): Promise<string> {
  const { reference: id, include, variant, suite } = options;
  if (!(await engine.slipwayFeatures()).has("bootstrap")) {
    throw new AppError("ENGINE_TOO_OLD", `the engine at ${engine.address} cannot make base images`, {
      hint: "Use slipway's own engine (leave DOCKER_HOST unset), or pull the image.",
    });
  }
  report.on({ subject: "image", id, phase: "working", text: "bootstrapping" });
  try {
    const { imageId, fresh } = await engine.bootstrapImage(id, {
      signal,
      ...(include.length > 0 && { include }),
      ...(variant !== undefined && { variant }),
      ...(suite !== undefined && { suite }),
      onProgress({ status, stream, id: part, progressDetail }) {
        const text = (status ?? stream ?? "").trim();
        if (text === "") return;
        const { current, total } = progressDetail ?? {};
        const amount = current !== undefined && total ? { current, total } : {};
        report.on({
          subject: "image",
          id,
          phase: "working",
          text: part ? `${text} ${part}` : text,
          ...amount,
        });
      },
    });
    report.on({ subject: "image", id, phase: "done", text: fresh ? "made" : "is here already" });
    return imageId;
  } catch (error) {
    report.on({ subject: "image", id, phase: "failed", text: "failed" });
    throw error;
  }
}
