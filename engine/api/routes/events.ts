import { EngineError } from "../../errors.ts";
import type { EngineEvent, Events } from "../../events.ts";
import type { Filters } from "../../filters.ts";
import type { Route } from "../router.ts";

/** A client that lets this many bytes pile up is cut off. */
const PILE = 4 * 1024 * 1024;

/** TypeScript's library does not have it yet: a number beyond 2^53 as it is, without quotes. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** `GET /events`: what happened since, then what happens, one JSON object a line. */
export function eventsRoutes({ events }: { readonly events: Events }): Route[] {
  return [
    {
      method: "GET",
      path: "/events",
      async handle(request, reply) {
        const since = parseTime(request.query.string("since"), "since");
        const until = parseTime(request.query.string("until"), "until");
        const filters = request.query.filters();
        if (since !== undefined && until !== undefined && since > until) {
          const [from, to] = [request.query.string("since"), request.query.string("until")];
          throw new EngineError("invalid", `\`since\` time (${from}) cannot be after \`until\` time (${to})`);
        }
        const body = reply.stream(200, "application/json");
        const send = (event: EngineEvent): void => {
          if (body.writableLength > PILE) body.destroy();
          else if (matches(event, filters) && (until === undefined || event.timeNano <= until)) {
            body.write(`${JSON.stringify(toWire(event))}\n`);
          }
        };
        if (since !== undefined) {
          for (const event of events.history()) if (event.timeNano >= since) send(event);
        }
        const unsubscribe = events.subscribe(send);
        try {
          await untilTime(until, request.signal);
        } finally {
          unsubscribe();
          body.end();
        }
      },
    },
  ];
}

/** Resolves at that time, or when the client has gone. */
function untilTime(until: bigint | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const left = until === undefined ? undefined : Number(until / 1_000_000n) - Date.now();
    // setTimeout takes 31 bits; nobody waits for 24 days.
    const timer =
      left === undefined ? undefined : setTimeout(resolve, Math.min(Math.max(left, 0), 2 ** 31 - 1));
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/**
 * Reads `seconds[.fraction]` since 1970.
 *
 * @returns nanoseconds; undefined for nothing
 */
function parseTime(text: string, name: string): bigint | undefined {
  if (text === "") return undefined;
  const found = /^(\d+)(?:\.(\d{1,9})\d*)?$/.exec(text);
  if (found === null) throw new EngineError("invalid", `${name}: ${text} is no time in seconds since 1970`);
  return BigInt(found[1] ?? "0") * 1_000_000_000n + BigInt((found[2] ?? "").padEnd(9, "0"));
}

/** As clients before API 1.52 want it: `status`, `id` and `from` repeat what is below. */
function toWire(event: EngineEvent): object {
  const { type, action, actor, timeNano } = event;
  const legacy = type === "container" || type === "image" ? { status: action, id: actor.id } : {};
  const from = type === "container" ? { from: actor.attributes["image"] ?? "" } : {};
  return {
    ...legacy,
    ...from,
    Type: type,
    Action: action,
    Actor: { ID: actor.id, Attributes: actor.attributes },
    scope: "local",
    time: Number(timeNano / 1_000_000_000n),
    timeNano: rawJSON(String(timeNano)),
  };
}

/** @see moby daemon/events/filter.go */
function matches(event: EngineEvent, filters: Filters): boolean {
  const { type, action, actor } = event;
  return (
    filters.exact("type", type) &&
    filters.exact("scope", "local") &&
    matchesAction(action, filters) &&
    filters.labels(actor.attributes) &&
    (["container", "daemon", "image", "network", "plugin", "volume"] as const).every(
      (kind) => !filters.has(kind) || (type === kind && names(event, filters.values(kind))),
    )
  );
}

/** `health_status`, `exec_create` and `exec_start` are followed by a colon and more. */
function matchesAction(action: string, filters: Filters): boolean {
  if (!filters.has("event")) return true;
  return filters
    .values("event")
    .some(
      (wanted) => action === wanted || (/^(health_status|exec_)/.test(wanted) && action.startsWith(wanted)),
    );
}

function names({ actor, type }: EngineEvent, wanted: readonly string[]): boolean {
  const known = [actor.id, actor.attributes["name"] ?? ""];
  if (type === "image") known.push(...known.map((name) => name.replace(/:[^:/]+$/, "")));
  return wanted.some((name) => known.some((one) => (type === "image" ? one === name : one.startsWith(name))));
}
