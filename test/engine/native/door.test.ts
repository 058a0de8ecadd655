/** The way to the spawner, with a listener of the test's own behind it. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SpawnerDoor } from "../../../engine/native/door.ts";
import { until } from "../../helpers/command.ts";

interface Place {
  directory: string;
  server: Server;
  door: SpawnerDoor;
  /** Those that came, the oldest first. */
  came: Socket[];
}

const door = suite<Place>("native/door");
door.before.each(async (place) => {
  place.directory = mkdtempSync("/var/tmp/slw-door-");
  place.came = [];
  place.server = createServer((socket) => place.came.push(socket.on("error", () => {})));
  const path = join(place.directory, "s.sock");
  await new Promise<void>((resolve) => place.server.listen(path, resolve));
  place.door = new SpawnerDoor(path);
});
door.after.each(({ directory, server, door, came }) => {
  door.close();
  for (const socket of came) socket.destroy();
  server.close();
  rmSync(directory, { recursive: true });
});

/** What the connection says arrives at this one of those that came. */
async function arrivesAt(from: Socket, to: Socket | undefined): Promise<void> {
  const arrived = new Promise<string>((resolve) => to?.once("data", (data: Buffer) => resolve(String(data))));
  from.write("request");
  assert.is(await arrived, "request");
}

door("the second connection is there before it is asked for", async ({ door, came }) => {
  const first = await door.open();
  await until("a spare is there", () => came.length === 2);
  const second = await door.open();
  await arrivesAt(first, came[0]);
  await arrivesAt(second, came[1]);
  first.destroy();
  second.destroy();
});

door("a spare that has gone is not used", async ({ door, came }) => {
  (await door.open()).destroy();
  await until("a spare is there", () => came.length === 2);
  came[1]?.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const next = await door.open();
  await until("it is another", () => came.length >= 3);
  await arrivesAt(next, came[2]);
  next.destroy();
});

door("a closed door keeps nothing", async ({ door, came }) => {
  (await door.open()).destroy();
  await until("a spare is there", () => came.length === 2);
  let ended = false;
  came[1]?.once("close", () => {
    ended = true;
  });
  came[1]?.resume();
  door.close();
  await until("the spare has ended", () => ended);
});

door.run();
