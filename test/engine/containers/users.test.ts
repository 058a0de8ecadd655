import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resolveUser } from "../../../engine/containers/users.ts";

const users = suite("engine/containers/users");

const PASSWD = Buffer.from(
  [
    "root:x:0:0:root:/root:/bin/sh",
    "# a comment",
    "app:x:1000:1001:App:/srv/app:/bin/sh",
    "1000:x:0:0:a name of digits:/evil:/bin/sh",
    "damaged:x:one:two",
    "huge:x:99999999999:0:::",
    "",
  ].join("\n"),
);
const GROUP = Buffer.from("root:x:0:\nstaff:x:50:app,other\naudio:x:29:app\nwheel:x:10:\n");

for (const [user, add, expected] of [
  ["", [], "0:0 [0] /root"],
  ["root", [], "0:0 [0] /root"],
  ["app", [], "1000:1001 [1001,50,29] /srv/app"],
  ["1000", [], "1000:1001 [1001,50,29] /srv/app"],
  ["1234", [], "1234:0 [0] /"],
  ["app:wheel", [], "1000:10 [10] /srv/app"],
  ["app:777", [], "1000:777 [777] /srv/app"],
  [":50", [], "0:50 [50] /root"],
  ["app", ["wheel", "7", "50"], "1000:1001 [1001,50,29,10,7] /srv/app"],
] as const) {
  users(`"${user}" with [${add}] is ${expected}`, () => {
    const { uid, gid, groups, home } = resolveUser(user, PASSWD, GROUP, add);
    assert.is(`${uid}:${gid} [${groups}] ${home}`, expected);
  });
}

for (const [user, message] of [
  ["nobody", "unable to find user nobody: no matching entries in passwd file"],
  ["damaged", "unable to find user damaged: no matching entries in passwd file"],
  ["app:none", "unable to find group none: no matching entries in group file"],
  ["2147483648", "uids and gids must be in range 0-2147483647"],
  ["-1", "uids and gids must be in range 0-2147483647"],
] as const) {
  users(`"${user}" is refused: ${message}`, () => {
    assert.throws(
      () => resolveUser(user, PASSWD, GROUP),
      (error: Error) => error.message === message,
    );
  });
}

users("an image without user data bases knows root and numbers", () => {
  const { uid, gid, home } = resolveUser("65534", new Uint8Array(), new Uint8Array());
  assert.equal([uid, gid, home], [65534, 0, "/"]);
});

users.run();
