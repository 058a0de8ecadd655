import { execFileSync } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type FileQuery, readFiles, readSmallFiles } from "../../../../engine/api/buildkit/files.ts";
import type { GrpcClient } from "../../../../engine/api/buildkit/grpc.ts";
import { PACKET, Packet } from "../../../../engine/api/buildkit/messages.ts";
import { packFiles } from "../../../../engine/api/buildkit/pack.ts";

const files = suite("engine/api/buildkit/files");

const DIRECTORY = 0x80000000;
const LINK = 0x08000000;
const SETUID = 0x00800000;

interface Source {
  readonly path: string;
  readonly mode?: number;
  readonly link?: string;
  readonly content?: string;
}

/** A client that answers as buildx does: all stats, then the contents in pieces, those asked for together mixed. */
function client(sources: readonly Source[], asked: FileQuery[] = []): GrpcClient {
  return {
    open(_path: string, headers: Record<string, string | string[]>) {
      asked.push({
        directory: String(headers["dir-name"]),
        exclude: headers["exclude-patterns"] as string[],
      });
      const queue: Buffer[] = [];
      let wake = (): void => {};
      let ended = false;
      const push = (packet: Parameters<typeof Packet.encode>[0]): void => {
        queue.push(Packet.encode(packet));
        wake();
      };
      for (const { path, mode = 0o644, link = "", content = "" } of sources) {
        push({
          type: PACKET.stat,
          stat: { path, mode, link, size: Buffer.byteLength(content), modified: 1e18 },
        });
      }
      push({ type: PACKET.stat });
      const messages = (async function* () {
        while (!ended || queue.length > 0) {
          const next = queue.shift();
          if (next !== undefined) yield next;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      })();
      const requests: number[] = [];
      return {
        messages,
        async send(bytes: Buffer) {
          const { type, id } = Packet.decode(bytes);
          if (type === PACKET.end) push({ type: PACKET.end });
          else if (requests.push(id) === 1) {
            setTimeout(() => {
              const parts = requests.splice(0).flatMap((one) => {
                const data = Buffer.from(sources[one]?.content ?? "");
                return [data.subarray(0, 3), data.subarray(3)].map((piece, at) => ({ one, at, piece }));
              });
              for (const { one, piece } of parts.sort((a, b) => a.at - b.at)) {
                if (piece.length > 0) push({ type: PACKET.data, id: one, data: piece });
              }
              for (const { one, at } of parts)
                if (at === 1) push({ type: PACKET.data, id: one, data: Buffer.alloc(0) });
            }, 1);
          }
        },
        end() {
          ended = true;
          wake();
        },
      };
    },
  } as unknown as GrpcClient;
}

const TREE: readonly Source[] = [
  { path: "a", content: "first file" },
  { path: "dir", mode: DIRECTORY | 0o750 },
  { path: "dir/b", content: "second", mode: SETUID | 0o755 },
  { path: "dir/empty" },
  { path: "dir/hard", link: "a" },
  { path: "link", mode: LINK | 0o777, link: "dir/b" },
  { path: `long/${"x".repeat(120)}`, content: "far" },
];

files("contents that come mixed are put together again", async () => {
  const small = await readSmallFiles(client(TREE), { directory: "context" });
  assert.equal(
    [...small].map(([path, content]) => `${path.slice(0, 8)}=${content}`),
    ["a=first file", "dir/b=second", "dir/empt=", "long/xxx=far"],
  );
});

files("what is left out is told to the client", async () => {
  const asked: FileQuery[] = [];
  await readSmallFiles(client([], asked), { directory: "context", exclude: ["*.log", "!keep.log"] });
  assert.equal(asked, [{ directory: "context", exclude: ["*.log", "!keep.log"] }]);
});

files("the tar of it is read by tar", async () => {
  const chunks: Buffer[] = [];
  for await (const chunk of packFiles(readFiles(client(TREE), { directory: "context" }))) chunks.push(chunk);
  const input = Buffer.concat(chunks);
  const list = execFileSync("tar", ["-tv", "--utc", "--full-time", "-f", "-"], { input, encoding: "utf8" });
  assert.is(
    list.replaceAll("x".repeat(120), "(long)"),
    [
      "-rw-r--r-- 0/0              10 2001-09-09 01:46:40 a",
      "drwxr-x--- 0/0               0 2001-09-09 01:46:40 dir/",
      "-rwsr-xr-x 0/0               6 2001-09-09 01:46:40 dir/b",
      "-rw-r--r-- 0/0               0 2001-09-09 01:46:40 dir/empty",
      "hrw-r--r-- 0/0               0 2001-09-09 01:46:40 dir/hard link to a",
      "lrwxrwxrwx 0/0               0 2001-09-09 01:46:40 link -> dir/b",
      "-rw-r--r-- 0/0               3 2001-09-09 01:46:40 long/(long)",
      "",
    ].join("\n"),
  );
  assert.is(execFileSync("tar", ["-xO", "-f", "-", "dir/b"], { input, encoding: "utf8" }), "second");
});

files.run();
