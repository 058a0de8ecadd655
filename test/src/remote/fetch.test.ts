/** Files of other machines: repositories and registries of this one stand for them. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { load } from "../../../src/model/load.ts";
import { parseRemote } from "../../../src/model/remote.ts";
import { fetchRemote } from "../../../src/remote/fetch.ts";
import { rejects } from "../../helpers/rejects.ts";
import { mistakes } from "../model/memory.ts";

const remote = suite("remote");

for (const [address, expected] of [
  ["https://h.example/a/b.git", "git https://h.example/a/b.git HEAD "],
  ["https://h.example/a/b.git#v1:sub/dir", "git https://h.example/a/b.git v1 sub/dir"],
  ["git@h.example:a/b.git#main", "git git@h.example:a/b.git main "],
  ["github.com/a/b", "git https://github.com/a/b HEAD "],
  ["ssh://git@h.example/a", "git ssh://git@h.example/a HEAD "],
  ["oci://r.example:5000/a/b:v2", "oci r.example:5000 a/b v2"],
  ["oci://me/app", "oci registry-1.docker.io me/app latest"],
  ["oci://docker.io/app", "oci registry-1.docker.io library/app latest"],
  ["./oci/compose.yaml", "a path"],
  ["C:\\x.yaml", "a path"],
] as const) {
  remote(`${address} is ${expected.split(" ")[0]}`, () => {
    const parsed = parseRemote(address);
    const text =
      parsed?.kind === "git"
        ? `git ${parsed.url} ${parsed.ref} ${parsed.path}`
        : parsed
          ? `oci ${parsed.registry} ${parsed.repository} ${parsed.reference}`
          : "a path";
    assert.is(text, expected);
  });
}

for (const [address, message] of [
  ["https://h.example/compose.yaml", "is neither a git repository nor an OCI artifact"],
  ["oci://UPPER CASE", "names no artifact"],
  ["https://h.example/b.git", "is not on this machine, and nothing is fetched here"],
] as const) {
  remote(`${address} ${message}`, async () =>
    assert.equal(await mistakes(`include: ["${address}"]`), [
      `COMPOSE_REMOTE compose.yaml:1:11 ${address} ${message}`,
    ]),
  );
}

/** A machine of its own: a folder for files and the cache, and what is said. */
class Place {
  readonly folder = mkdtempSync(join(tmpdir(), "slipway-remote-"));
  readonly lines: string[] = [];
  env: Record<string, string> = { HOME: this.folder, PATH: process.env["PATH"]! };

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  load(text: string) {
    this.write("compose.yaml", text);
    return load({
      cwd: this.folder,
      env: this.env,
      fetch: (address, at) =>
        fetchRemote(address, at, {
          env: this.env,
          login: async () => undefined,
          say: (line) => this.lines.push(line),
        }),
    });
  }

  /** Makes a repository; `https://h.example/r.git` stands for it. */
  repository(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) this.write(`repo/${name}`, text);
    const git = (...args: string[]): Buffer =>
      execFileSync("git", [
        "-C",
        join(this.folder, "repo"),
        "-c",
        "user.name=t",
        "-c",
        "user.email=t",
        ...args,
      ]);
    git("init", "-q", "-b", "main");
    git("add", ".");
    git("commit", "-q", "-m", "x");
    git("tag", "-a", "v1", "-m", "v1");
    this.env = {
      ...this.env,
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: `url.${join(this.folder, "repo")}.insteadOf`,
      GIT_CONFIG_VALUE_0: "https://h.example/r.git",
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

const SHARED = {
  "sub/compose.yaml": "services: {db: {image: db, build: .}}",
  "sub/base.yaml": "services: {b: {image: base}}",
};

remote("a repository is fetched, said to be, and its paths start in it", async () => {
  using place = new Place();
  place.repository(SHARED);
  const text = `include: ["https://h.example/r.git#main:sub"]
services: {web: {extends: {file: "https://h.example/r.git#v1:sub/base.yaml", service: b}, depends_on: [db]}}`;
  const project = await place.load(text);
  assert.is(project.services["web"]!.image, "base");
  assert.match(project.services["db"]!.build!.context!, /\.cache\/slipway\/remote\/[0-9a-f]{40}\/sub$/);
  assert.equal(place.lines, [
    "fetching https://h.example/r.git#main:sub",
    "fetching https://h.example/r.git#v1:sub/base.yaml",
  ]);
});

remote("what was fetched does where the repository is gone; what never was does not", async () => {
  using place = new Place();
  place.repository(SHARED);
  await place.load(`include: ["https://h.example/r.git#main:sub"]`);
  rmSync(join(place.folder, "repo"), { recursive: true });
  const project = await place.load(`include: ["https://h.example/r.git#main:sub"]`);
  assert.equal(Object.keys(project.services), ["db"]);
  assert.match(place.lines.at(-1)!, /the copy of [0-9a-f]{19} is used$/);
  const error = await rejects(place.load(`include: ["https://h.example/r.git#v2:sub"]`), "COMPOSE_REMOTE");
  assert.is(error.at?.line, 1);
});

remote(
  "a path that leads out of a repository is refused, and so is everything when it is switched off",
  async () => {
    using place = new Place();
    place.repository(SHARED);
    const out = await rejects(
      place.load(`include: ["https://h.example/r.git#main:../../.."]`),
      "COMPOSE_REMOTE",
    );
    assert.match(out.message, /leads out of it/);
    place.env = { ...place.env, COMPOSE_EXPERIMENTAL_GIT_REMOTE: "false" };
    const off = await rejects(place.load(`include: ["https://h.example/r.git#main:sub"]`), "COMPOSE_REMOTE");
    assert.match(off.message, /COMPOSE_EXPERIMENTAL_GIT_REMOTE forbids/);
  },
);

const digest = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;

/** A registry that has one artifact, for those who come with a token. */
async function registry(files: readonly { text: string; type: string; annotations?: object }[]) {
  const manifest = JSON.stringify({
    layers: files.map(({ text, type, annotations }) => ({
      mediaType: `application/vnd.docker.compose.${type}`,
      digest: digest(text),
      annotations,
    })),
  });
  const server = createServer((request, response) => {
    const url = request.url ?? "";
    if (url.startsWith("/token")) return void response.end('{"token":"t"}');
    if (request.headers.authorization !== "Bearer t") {
      const realm = `Bearer realm="http://${request.headers.host}/token",service="s"`;
      return void response.writeHead(401, { "www-authenticate": realm }).end();
    }
    const blob = files.find(({ text }) => url === `/v2/me/app/blobs/${digest(text)}`)?.text;
    const body = url === "/v2/me/app/manifests/v1" ? manifest : blob;
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

remote("an artifact's files are the documents of one", async () => {
  using place = new Place();
  const served = await registry([
    { text: "services: {db: {image: a}}", type: "file+yaml" },
    { text: "services: {db: {hostname: h, env_file: x.env}}", type: "file+yaml" },
    { text: "A=1", type: "envfile", annotations: { "com.docker.compose.envfile": "x.env" } },
  ]);
  try {
    const project = await place.load(`include: ["oci://${served.address}/me/app:v1"]`);
    const { image, hostname, environment } = project.services["db"]!;
    assert.equal({ image, hostname, environment }, { image: "a", hostname: "h", environment: { A: "1" } });
    const none = await rejects(
      place.load(`include: ["oci://${served.address}/me/app:v9"]`),
      "COMPOSE_REMOTE",
    );
    assert.match(none.message, /the registry does not have it/);
  } finally {
    served.close();
  }
});

remote("a file of an artifact cannot be written anywhere else", async () => {
  using place = new Place();
  const served = await registry([
    { text: "services: {}", type: "file+yaml" },
    { text: "x", type: "envfile", annotations: { "com.docker.compose.envfile": "../../x" } },
  ]);
  try {
    const error = await rejects(
      place.load(`include: ["oci://${served.address}/me/app:v1"]`),
      "COMPOSE_REMOTE",
    );
    assert.match(error.message, /a file of the name "\.\.\/\.\.\/x"/);
  } finally {
    served.close();
  }
});

remote.run();
