import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Downloads } from "../../../engine/builder/downloads.ts";

const downloads = suite("engine/builder/downloads");

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A server that answers as the test says, and notes what it was asked for. */
async function serving<T>(
  answer: (headers: NodeJS.Dict<string | string[]>) => Answer,
  work: (url: string, asked: string[], store: Downloads) => Promise<T>,
): Promise<T> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.headers["if-none-match"] ?? request.headers["if-modified-since"] ?? "all"}`);
    const { status, headers = {}, body = "" } = answer(request.headers);
    response.writeHead(status, headers).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const directory = mkdtempSync("/var/tmp/slw-downloads-");
  try {
    return await work(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/f`,
      asked,
      new Downloads(directory),
    );
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

const FOREVER = new AbortController().signal;

downloads("a file has mode 0600 and the server's time", () =>
  serving(
    () => ({ status: 200, headers: { "last-modified": "Thu, 01 Jan 2020 00:00:00 GMT" }, body: "text" }),
    async (url, _asked, store) => {
      const path = join(store.directory, await store.fetch(url, FOREVER));
      const { mode, mtimeMs } = statSync(path);
      assert.is(readFileSync(path, "utf8"), "text");
      assert.is(mode & 0o777, 0o600);
      assert.is(mtimeMs, Date.UTC(2020, 0, 1));
    },
  ),
);

downloads("an unchanged file is not sent again", () =>
  serving(
    (headers) =>
      headers["if-none-match"] === '"1"'
        ? { status: 304 }
        : { status: 200, headers: { etag: '"1"' }, body: "one" },
    async (url, asked, store) => {
      await store.fetch(url, FOREVER);
      const name = await store.fetch(url, FOREVER);
      assert.equal(asked, ["all", '"1"']);
      assert.is(readFileSync(join(store.directory, name), "utf8"), "one");
    },
  ),
);

downloads("another status than 200 is an error that names it, and leaves nothing", () =>
  serving(
    () => ({ status: 404 }),
    async (url, _asked, store) => {
      const failed = await store.fetch(url, FOREVER).catch((error: Error) => error.message);
      assert.is(failed, `invalid response status 404 for ${url}`);
    },
  ),
);

downloads.run();
