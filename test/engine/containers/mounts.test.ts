import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseBind, wantedMounts } from "../../../engine/containers/mounts.ts";
import { tmpfsOptions } from "../../../engine/containers/tmpfs.ts";

const mounts = suite("engine/containers/mounts");

for (const [spec, expected] of [
  ["/a:/b", "bind /a → /b rw rprivate recursive"],
  ["/a/../c/:/b/", "bind /c → /b rw rprivate recursive"],
  ["/a:/b:ro", "bind /a → /b ro rprivate recursive"],
  ["/a:/b:ro,rslave,z", "bind /a → /b ro rslave recursive"],
  ["/a:/b:private", "bind /a → /b rw private"],
  ["data:/b", "volume data → /b rw copy"],
  ["data:/b:nocopy", "volume data → /b rw"],
  ["/b", "volume (new) → /b rw copy"],
] as const) {
  mounts(`${spec} is ${expected}`, () => {
    const mount = parseBind(spec);
    const words = [
      mount.Type,
      mount.Type === "bind" ? mount.Source : (mount.Name ?? "(new)"),
      "→",
      mount.Destination,
      mount.RW ? "rw" : "ro",
      ...(mount.Propagation ? [mount.Propagation] : []),
      ...(mount.recursive ? ["recursive"] : []),
      ...(mount.copyUp ? ["copy"] : []),
    ];
    assert.is(words.join(" "), expected);
  });
}

for (const [spec, message] of [
  ["", "invalid volume specification: ''"],
  ["/a:", "invalid volume specification: '/a:'"],
  ["/a:/b:ro:x", "invalid volume specification: '/a:/b:ro:x'"],
  ["/a:b", "invalid mount path: 'b' mount path must be absolute"],
  ["/a:/", "destination can't be '/'"],
  ["/a:/..", "destination can't be '/'"],
  ["/a:/b:nonsense", "invalid mode: nonsense"],
  ["/a:/b:ro,rw", "invalid mode: ro,rw"],
  ["/a:/b:rslave,rprivate", "invalid mode: rslave,rprivate"],
  ["x/y:/b", "includes invalid characters for a local volume name"],
] as const) {
  mounts(`${spec || "nothing"} is refused: ${message}`, () => {
    assert.throws(
      () => parseBind(spec),
      (error: Error) => error.message.includes(message),
    );
  });
}

mounts("parents come before children, whatever asked for them", () => {
  const all = wantedMounts(
    { Volumes: { "/a/b/c": {}, "/a": {} } },
    {
      Binds: ["/host:/a/b"],
      Mounts: [{ Type: "tmpfs", Target: "/a/b/c/d", TmpfsOptions: { SizeBytes: 1024, Mode: 0o1777 } }],
      Tmpfs: { "/z": "size=1m" },
    },
  );
  assert.equal(
    all.map(({ Type, Destination, options }) => [Type, Destination, options ?? ""].join(" ").trim()),
    ["tmpfs /z size=1m", "volume /a", "bind /a/b", "volume /a/b/c", "tmpfs /a/b/c/d size=1024,mode=1777"],
  );
});

mounts("an image's volume gives way to what is asked for at its place, two at one place are refused", () => {
  const [only, ...others] = wantedMounts({ Volumes: { "/data/": {} } }, { Binds: ["/host:/data"] });
  assert.is(only?.Type, "bind");
  assert.equal(others, []);
  assert.throws(
    () => wantedMounts({}, { Binds: ["/x:/data", "/y:/data/"] }),
    /Duplicate mount point: \/data/,
  );
});

mounts("a tmpfs is noexec, nosuid and nodev unless its options say otherwise", () => {
  assert.equal(tmpfsOptions(""), { flags: 8 | 4 | 2, data: "" });
  assert.equal(tmpfsOptions("exec,ro,size=64k,mode=755"), { flags: 1 | 4 | 2, data: "size=64k,mode=755" });
  assert.throws(() => tmpfsOptions("lowerdir=/etc"), /invalid tmpfs option/);
});

mounts.run();
