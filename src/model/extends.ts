/** `extends`: a service laid over another one, of this file or of another; paths in the other file start from its folder. */
import { dirname } from "node:path";
import type { Loading } from "./loading.ts";
import { merge, mergeService } from "./merge.ts";
import { child, isMap, isNull, type MapNode, map, type Node, textOf, withEntry } from "./node.ts";
import { resolvePaths } from "./paths.ts";
import { documentsOf, prepare } from "./prepare.ts";
import { problem } from "./problems.ts";
import { localPath } from "./remote.ts";
import { absolute } from "./source.ts";
import { suggestion } from "./suggest.ts";

/** The services of one file. */
interface Services {
  readonly file: string;
  /** What `extends.file` starts from. */
  readonly directory: string;
  readonly names: readonly string[];
  /** The service in canonical form; undefined for an empty one. */
  get(name: string): MapNode | undefined;
  readonly done: Map<string, Node>;
}

/**
 * Works off every `extends` of a document.
 *
 * @throws {AppError} COMPOSE_EXTENDS, DEPENDENCY_CYCLE, COMPOSE_FILE_MISSING
 */
export function extendServices(document: MapNode, file: string, loading: Loading): MapNode {
  const services = document.entries.get("services");
  if (!isMap(services)) return document;
  if (![...services.entries.values()].some((service) => child(service, "extends"))) return document;
  const here: Services = {
    file,
    directory: loading.directory,
    names: [...services.entries.keys()],
    get: (name) => services.entries.get(name) as MapNode,
    done: new Map(),
  };
  const entries = new Map<string, Node>();
  for (const [name, service] of services.entries)
    entries.set(name, isMap(service) ? extended(name, here, [], loading) : service);
  return withEntry(document, "services", { ...services, entries });
}

function extended(name: string, services: Services, before: readonly string[], loading: Loading): Node {
  const finished = services.done.get(name);
  if (finished) return finished;
  const service = services.get(name)!;
  const extend = child(service, "extends");
  if (!isMap(extend) || extend.tag === "reset") return service;
  const chain = [...before, `${name} in ${services.file}`];
  if (before.includes(chain.at(-1)!)) {
    throw problem(
      "DEPENDENCY_CYCLE",
      `services extend each other in a circle: ${chain.join(" → ")}`,
      extend.key ?? extend.at,
      {
        hint: "One of them must not extend the next.",
      },
    );
  }
  const base = baseOf(name, extend, services, chain, loading);
  const result = base ? withEntry(mergeService(base, service), "extends", undefined) : service;
  services.done.set(name, result);
  return result;
}

/** @returns undefined when the base is an empty service */
function baseOf(
  name: string,
  extend: MapNode,
  services: Services,
  chain: readonly string[],
  loading: Loading,
): MapNode | undefined {
  const ref = textOf(extend.entries.get("service"));
  if (ref === undefined) {
    throw problem("COMPOSE_EXTENDS", `services.${name}.extends names no service`, extend.key ?? extend.at, {
      hint: "Add `service: NAME`.",
    });
  }
  const fileNode = extend.entries.get("file");
  const file = textOf(fileNode);
  const from =
    file === undefined
      ? services
      : servicesOf(
          absolute(localPath(file, fileNode!.at, loading.fetched), {
            directory: services.directory,
            home: loading.home,
          }),
          fileNode!,
          loading,
        );
  if (!from.names.includes(ref)) {
    throw problem(
      "COMPOSE_EXTENDS",
      `services.${name} extends ${ref}, and there is no such service${file === undefined ? "" : ` in ${file}`}`,
      extend.entries.get("service")!.at,
      {
        hint: suggestion(ref, from.names),
      },
    );
  }
  if (!isMap(from.get(ref))) return undefined;
  const base = extended(ref, from, chain, loading) as MapNode;
  return from === services
    ? base
    : resolvePaths.service(base, { directory: from.directory, home: loading.home });
}

/** The services of another file; each is checked only when it is taken. */
function servicesOf(path: string, at: Node, loading: Loading): Services {
  const found = new Map<string, MapNode[]>();
  for (const document of documentsOf(path, loading, at.at)) {
    const services = child(document, "services");
    if (services && !isMap(services))
      throw problem("COMPOSE_TYPE", "services must be a mapping", services.at);
    for (const [name, service] of isMap(services) ? services.entries : []) {
      const alone = map([["services", map([[name, service]], services!)]], document);
      found.set(name, [...(found.get(name) ?? []), alone]);
    }
  }
  const taken = new Map<string, MapNode | undefined>();
  return {
    file: path,
    directory: dirname(path),
    names: [...found.keys()],
    get(name) {
      if (!taken.has(name)) taken.set(name, take(name, found.get(name) ?? [], loading));
      return taken.get(name);
    },
    done: new Map(),
  };
}

function take(name: string, documents: readonly MapNode[], loading: Loading): MapNode | undefined {
  let model: MapNode | undefined;
  for (const document of documents) {
    if (isNull(child(child(document, "services"), name))) continue;
    const ready = prepare(document, true, loading);
    model = merge(model, ready, true);
  }
  const service = child(child(model, "services"), name);
  return isMap(service) ? service : undefined;
}
