import type { BuildRequest } from "../../builder/types.ts";

type Options = Readonly<Record<string, string>>;

/** The part of a build request that a client's options say; context, Dockerfile and secrets come from its session. */
export type StatedRequest = Omit<
  BuildRequest,
  "context" | "dockerfileText" | "secrets" | "contexts" | "signal" | "auth"
>;

/**
 * Reads the options of BuildKit's Dockerfile frontend.
 *
 * @see github.com/moby/buildkit frontend/dockerui/config.go
 */
export function readOptions(options: Options): StatedRequest {
  const noCache = options["no-cache"];
  const network = options["force-network-mode"];
  return {
    args: below(options, "build-arg:"),
    labels: below(options, "label:"),
    target: options["target"] || undefined,
    platform: options["platform"] || undefined,
    noCache: noCache === "",
    noCacheFilter: noCache ? noCache.split(",") : undefined,
    pull: options["image-resolve-mode"] === "pull",
    network: network === undefined || network === "sandbox" ? undefined : network,
    extraHosts: list(options["add-hosts"]).map((pair) => pair.replace("=", ":")),
    shmSize: options["shm-size"] ? Number(options["shm-size"]) : undefined,
    ulimits: list(options["ulimit"]).map(readUlimit),
  };
}

/** `context:NAME` options: what each named context is. */
export function namedContexts(options: Options): Readonly<Record<string, string>> {
  return below(options, "context:");
}

function below(options: Options, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(options)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
}

function list(text: string | undefined): string[] {
  return text ? text.split(",") : [];
}

/** `nofile=1024:2048` */
function readUlimit(text: string): { Name: string; Soft: number; Hard: number } {
  const [Name = "", limits = ""] = text.split("=");
  const [soft = "", hard = soft] = limits.split(":");
  return { Name, Soft: Number(soft), Hard: Number(hard) };
}
