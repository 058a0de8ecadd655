import { PassThrough } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Query } from "../../../engine/api/query.ts";
import type { ApiRequest, Reply } from "../../../engine/api/router.ts";
import { eventsRoutes } from "../../../engine/api/routes/events.ts";
import { Events } from "../../../engine/events.ts";

const test = suite("engine/api/routes/events");

/** Asks for what has happened until now, and gives back the lines. */
async function history(events: Events, filters: object = {}): Promise<Record<string, unknown>[]> {
  const [route] = eventsRoutes({ events });
  const body = new PassThrough();
  const query = new Query(
    new URLSearchParams({
      since: "1",
      until: String(Date.now() / 1000 + 0.05),
      filters: JSON.stringify(filters),
    }).toString(),
  );
  const request = { query, signal: new AbortController().signal } as ApiRequest;
  const reply = { stream: () => body } as unknown as Reply;
  await route?.handle(request, reply);
  return String(body.read() ?? "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function events(): Events {
  const all = new Events();
  const web = { id: "aa11", attributes: { image: "busybox", name: "shop-web-1", tier: "web" } };
  all.emit({ type: "container", action: "start", actor: web });
  all.emit({ type: "container", action: "health_status: healthy", actor: web });
  all.emit({ type: "container", action: "die", actor: web });
  all.emit({
    type: "network",
    action: "create",
    actor: { id: "bb22", attributes: { name: "shop_default" } },
  });
  all.emit({ type: "image", action: "tag", actor: { id: "sha256:cc", attributes: { name: "busybox:1" } } });
  return all;
}

const actions = async (filters: object): Promise<unknown[]> =>
  (await history(events(), filters)).map((event) => event["Action"]);

test("an event of a container repeats itself for old clients", async () => {
  const [event] = await history(events());
  const { time, timeNano, ...rest } = event ?? {};
  assert.equal(rest, {
    status: "start",
    id: "aa11",
    from: "busybox",
    Type: "container",
    Action: "start",
    Actor: { ID: "aa11", Attributes: { image: "busybox", name: "shop-web-1", tier: "web" } },
    scope: "local",
  });
  assert.is(Math.floor(Number(timeNano) / 1e9), time);
});

for (const [filters, expected] of [
  [{ event: ["die"] }, ["die"]],
  [{ event: ["health_status"] }, ["health_status: healthy"]],
  [{ event: ["dies", "di"] }, []],
  [{ type: ["network"] }, ["create"]],
  [{ container: ["shop-web"] }, ["start", "health_status: healthy", "die"]],
  [{ container: ["aa"], event: ["start"] }, ["start"]],
  [{ label: ["tier=web"], event: ["start"] }, ["start"]],
  [{ label: ["tier=db"] }, []],
  [{ image: ["busybox"] }, ["tag"]],
] as const) {
  test(`${JSON.stringify(filters)} gives ${expected.join(", ") || "nothing"}`, async () => {
    assert.equal(await actions(filters), expected);
  });
}

test("events of one moment keep their order", () => {
  const all = events().history();
  for (const [at, event] of all.entries())
    assert.ok(at === 0 || event.timeNano > (all[at - 1]?.timeNano ?? 0n));
});

test.run();
