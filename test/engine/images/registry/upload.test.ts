import { createHash, randomBytes } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseReference } from "../../../../engine/images/reference.ts";
import { RegistrySession } from "../../../../engine/images/registry/session.ts";
import { DEFAULT_SETTINGS } from "../../../../engine/images/registry/settings.ts";
import { Transport } from "../../../../engine/images/registry/transport.ts";
import { upload } from "../../../../engine/images/registry/upload.ts";
import { type Misbehaviour, RegistryServer } from "../registry-server.ts";

const uploads = suite("images/registry/upload");

const large = randomBytes(18 << 20);

/** What was asked of the server for one blob, as "PATCH", "GET", …, and whether the blob is there. */
async function sent(bytes: Buffer, misbehaviour: Misbehaviour): Promise<string> {
  await using server = await RegistryServer.open();
  server.misbehaviour = misbehaviour;
  const transport = new Transport(DEFAULT_SETTINGS, {});
  const session = new RegistrySession(transport, parseReference(`${server.host}/x:1`));
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  async function* open(start: number, end = bytes.length): AsyncGenerator<Buffer> {
    for (let at = start; at < end; at += 1 << 20) yield bytes.subarray(at, Math.min(end, at + (1 << 20)));
  }
  try {
    await upload(session, { digest, size: bytes.length, open });
    assert.ok(server.blobs.get(digest)?.equals(bytes));
    return server.requests.map((line) => line.split(" ")[0]).join(" ");
  } finally {
    transport.close();
  }
}

for (const [what, bytes, misbehaviour, requests] of [
  ["a small blob goes in one request", Buffer.from("small"), {}, "POST PUT"],
  ["a large one is streamed", large, {}, "POST PATCH PUT"],
  [
    "a cut upload goes on where the registry says",
    large,
    { cutUpload: { after: 5 << 20, times: 2 } },
    "POST PATCH GET PATCH GET PATCH PUT",
  ],
  [
    "what the registry has forgotten begins anew",
    large,
    { cutUpload: { after: 5 << 20, times: 1, forget: true } },
    "POST PATCH GET POST PATCH PUT",
  ],
  [
    "a registry that takes no more at a time is sent chunks",
    large,
    { mostUpload: 17 << 20 },
    "POST PATCH POST PATCH PATCH PUT",
  ],
] as const) {
  uploads(what, async () => {
    assert.is(await sent(bytes, structuredClone(misbehaviour)), requests);
  });
}

uploads.run();
