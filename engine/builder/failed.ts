import type { Images } from "../images/images.ts";
import type { Lease } from "../images/leases.ts";
import { CommandFailure } from "./failure.ts";
import type { RunStep } from "./plan/types.ts";
import { OWN_PLATFORM } from "./platform.ts";
import type { Chain } from "./steps/types.ts";

/**
 * Makes an image of what a failing RUN left: its files, environment, user and directory, so that a shell in it stands
 * where the command stood. Secrets and mounts are not in it.
 */
export function keepFailed(
  step: RunStep,
  { images, lease }: { readonly images: Images; readonly lease: Lease },
): (error: unknown, upper: string, chain: Chain) => Promise<void> {
  return async (error, upper, chain) => {
    if (!(error instanceof CommandFailure)) return;
    const identity = await images.identifyLayer(upper);
    lease.hold(identity.diffId);
    await images.adoptLayer(upper, identity);
    const below = await Promise.all(chain.map((snapshot) => snapshot.layer()));
    const config = { Env: step.env, WorkingDir: step.cwd, User: step.user, Cmd: ["/bin/sh"] };
    const history = [{ created_by: step.title, comment: "what a failed step left" }];
    const layers = [...below.map(({ diffId }) => diffId), identity.diffId];
    const image = await images.createImage(
      { ...OWN_PLATFORM, created: new Date().toISOString(), config, history },
      layers,
    );
    error.image = image.id;
  };
}
