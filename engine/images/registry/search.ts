import { EngineError } from "../../errors.ts";
import { familiarName, parseReference } from "../reference.ts";
import type { RegistryAuth } from "../types.ts";
import { bodyOf } from "./body.ts";
import { RegistrySession } from "./session.ts";
import type { Transport } from "./transport.ts";

export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated: boolean;
}

export interface SearchOptions {
  readonly limit: number;
  readonly auth?: RegistryAuth;
  readonly signal?: AbortSignal;
}

const HUB = "https://index.docker.io/v1/search";
const ANSWER_LIMIT = 8 << 20;

/**
 * Finds repositories: `term` on Docker Hub, `host[:port]/term` among the repositories that a registry lists.
 *
 * @throws {EngineError} unavailable where the registry cannot be reached or lists nothing
 */
export async function searchRegistry(
  transport: Transport,
  term: string,
  options: SearchOptions,
): Promise<SearchResult[]> {
  const slash = term.indexOf("/");
  const first = slash < 0 ? "" : term.slice(0, slash);
  const isHost = first === "localhost" || /[.:]/.test(first);
  return isHost
    ? searchCatalog(transport, first, term.slice(slash + 1), options)
    : searchHub(transport, term, options);
}

async function searchHub(
  transport: Transport,
  term: string,
  { limit, signal }: SearchOptions,
): Promise<SearchResult[]> {
  const url = new URL(HUB);
  url.searchParams.set("q", term);
  url.searchParams.set("n", String(limit));
  try {
    const response = await transport.send({ method: "GET", url, ...(signal && { signal }) });
    const body = await bodyOf(response, ANSWER_LIMIT);
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
    return (JSON.parse(body.toString("utf8")) as { results: SearchResult[] }).results.slice(0, limit);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError(
      "unavailable",
      `Docker Hub cannot be searched: ${why}; a registry of one's own is searched by HOST/TERM`,
      { cause },
    );
  }
}

async function searchCatalog(
  transport: Transport,
  host: string,
  term: string,
  options: SearchOptions,
): Promise<SearchResult[]> {
  const { limit, auth, signal } = options;
  // Any name will do: what is asked for belongs to no repository.
  const reference = parseReference(`${host}/search`);
  const session = new RegistrySession(transport, reference, {
    ...(auth && { auth }),
    ...(signal && { signal }),
  });
  const names = await session.catalog();
  return names
    .filter((name) => name.includes(term))
    .slice(0, limit)
    .map((path) => ({
      name: familiarName({ ...reference, path }),
      description: "",
      star_count: 0,
      is_official: false,
      is_automated: false,
    }));
}
