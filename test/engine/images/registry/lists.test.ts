import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openStore } from "../fixture.ts";
import { RegistryServer } from "../registry-server.ts";

const lists = suite("images/registry/lists");

lists("images of two platforms become one name, also from other repositories", async () => {
  await using store = await openStore();
  await using server = await RegistryServer.open();
  const [a, b, list] = ["a/x:1", "b/y:1", "c/list:1"].map((name) => `${server.host}/${name}`) as [
    string,
    string,
    string,
  ];
  server.addImage("a/x:1", [[{ path: "on", content: "amd64" }]]);
  server.addImage("b/y:1", [[{ path: "on", content: "arm64" }]], { architecture: "arm64" });
  const own = store.images.lists;
  assert.is(await own.create(list, [a, b], {}), list);
  await own.annotate(list, b, { variant: "v8", "os.features": ["f"] });
  server.misbehaviour = { noMount: true }; // then blobs are carried
  const pushed: string[] = [];
  const digest = await own.push(list, {}, (reference) => pushed.push(reference.replace(/@.*/, "")));
  assert.equal(pushed, [`${server.host}/c/list`, `${server.host}/c/list`]);
  assert.match(digest, /^sha256:/);
  for (const architecture of ["amd64", "arm64"]) {
    const { id } = await store.images.pull(list, { platform: { os: "linux", architecture } }, () => {});
    assert.is(store.images.get(id).config.architecture, architecture);
  }
  const { manifests } = JSON.parse(await own.inspect(list, {})) as { manifests: { platform: object }[] };
  assert.equal(manifests[1]?.platform, {
    architecture: "arm64",
    os: "linux",
    "os.features": ["f"],
    variant: "v8",
  });
  // It is there for the next daemon, too, until it is forgotten; then the registry's is shown.
  await (await store.reopen()).lists.remove(list);
  assert.is(JSON.parse(await store.images.lists.inspect(list, {})).manifests.length, 2);
});

lists("mistakes are told in Docker's words", async () => {
  await using store = await openStore();
  await using server = await RegistryServer.open();
  const own = store.images.lists;
  const [image, list, none] = ["x:1", "l:1", "none:1"].map((name) => `${server.host}/${name}`) as [
    string,
    string,
    string,
  ];
  server.addImage("x:1", [[{ path: "f", content: "" }]]);
  await own.create(list, [image], {});
  await own.push(list, {}, () => {});
  for (const [work, text] of [
    [() => own.create(list, [image], {}), "refusing to amend an existing manifest list with no --amend flag"],
    [() => own.create(none, [none], {}), `no such manifest: ${none}`],
    [() => own.create(none, [list], {}), `${list} is a manifest list`],
    [() => own.annotate(list, none, {}), `manifest for image ${none} does not exist in ${list}`],
    [
      () => own.annotate(list, image, { architecture: "nope" }),
      "manifest entry for image has unsupported os/arch combination: linux/nope",
    ],
    [() => own.push(none, {}, () => {}), `No such manifest: ${none}`],
    [() => own.remove(none), `No such manifest: ${none}`],
    [() => own.inspect(none, {}), `no such manifest: ${none}`],
  ] as const) {
    assert.is(await refusal(work), text);
  }
  await own.create("127.0.0.1:1/other:1", [image], {});
  const push = (): Promise<unknown> => own.push("127.0.0.1:1/other:1", {}, () => {});
  assert.match(
    await refusal(push),
    /^cannot use source images from a different registry than the target image/,
  );
});

async function refusal(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was refused";
}

lists.run();
