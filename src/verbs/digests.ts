import type { EngineClient } from "../client/client.ts";
import { AppError, throwAll } from "../errors.ts";
import type { Project } from "../model/types.ts";
import { loginFor } from "./credentials.ts";

export interface DigestSource {
  readonly engine: EngineClient;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The project with the digest beside each image's tag, as the image's registry has it now; what is built here has none.
 *
 * @throws {AppError | AppErrors} IMAGE_PULL for each image that no registry has
 */
export async function withDigests(project: Project, from: DigestSource): Promise<Project> {
  const images = new Map<string, Promise<string>>();
  const digestOf = (image: string): Promise<string> => {
    const known = images.get(image) ?? ask(image, from);
    images.set(image, known);
    return known;
  };
  const settled = await Promise.allSettled(
    Object.entries(project.services).map(async ([name, service]) => {
      const { image, build, provider } = service;
      if (image === undefined || image.includes("@") || build || provider) return [name, service] as const;
      try {
        return [name, { ...service, image: `${fullName(image)}@${await digestOf(image)}` }] as const;
      } catch (cause) {
        const at = project.positionOf(["services", name, "image"]);
        throw new AppError("IMAGE_PULL", `${image} has no digest: ${(cause as Error).message}`, {
          ...(at && { at }),
          hint: "Check the name and the network; a private registry needs `slipway login`.",
          cause,
        });
      }
    }),
  );
  throwAll(settled.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : [])));
  const services = settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  return { ...project, services: Object.fromEntries(services) };
}

/** As docker compose spells it: the registry, `library/` and the tag are said. */
function fullName(image: string): string {
  const first = image.split("/")[0]!;
  const hosted = image.includes("/") && (/[.:]/.test(first) || first === "localhost");
  const path = hosted ? image : `docker.io/${image.includes("/") ? "" : "library/"}${image}`;
  return /:[^/]*$/.test(path) ? path : `${path}:latest`;
}

async function ask(image: string, { engine, env }: DigestSource): Promise<string> {
  const { Descriptor } = await engine.describeRemote(image, await loginFor(image, env));
  return Descriptor.digest;
}
