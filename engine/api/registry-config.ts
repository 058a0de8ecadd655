import type { RegistrySettings } from "../images/registry/settings.ts";

/** `RegistryConfig` of `/info`: how registries are reached. */
export function registryConfig({ insecure, mirrors }: RegistrySettings): object {
  const hub = (mirrors["docker.io"] ?? []).map((url) => (url.endsWith("/") ? url : `${url}/`));
  const hosts = insecure.filter((entry) => !entry.includes("/"));
  const index = (Name: string, Mirrors: readonly string[], Secure: boolean, Official: boolean) => ({
    Name,
    Mirrors,
    Secure,
    Official,
  });
  return {
    AllowNondistributableArtifactsCIDRs: null,
    AllowNondistributableArtifactsHostnames: null,
    InsecureRegistryCIDRs: [...insecure.filter((entry) => entry.includes("/")), "127.0.0.0/8"],
    IndexConfigs: {
      "docker.io": index("docker.io", hub, true, true),
      ...Object.fromEntries(hosts.map((host) => [host, index(host, [], false, false)])),
    },
    Mirrors: hub.length === 0 ? null : hub,
  };
}

/** The proxies of the environment, as `/info` shows them: without the password. */
export function proxies(env: Readonly<Record<string, string | undefined>>): {
  readonly HttpProxy: string;
  readonly HttpsProxy: string;
  readonly NoProxy: string;
} {
  const of = (name: string): string => env[name] || env[name.toLowerCase()] || "";
  return {
    HttpProxy: masked(of("HTTP_PROXY")),
    HttpsProxy: masked(of("HTTPS_PROXY")),
    NoProxy: of("NO_PROXY"),
  };
}

function masked(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, "$1xxxxx:xxxxx@");
}
