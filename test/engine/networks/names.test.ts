import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formatResolver, formatTable, Names } from "../../../engine/networks/names.ts";

const names = suite("engine/networks/names");

names("a table lists every name with every address, and what an address is called", () => {
  const table = formatTable([
    { names: ["web", "WWW", "web.shop"], addresses: ["172.18.0.2", "fd00::2"], reverse: "web.shop" },
    { names: ["www"], addresses: ["172.18.0.3"], reverse: "web2.shop" },
  ]);
  assert.is(
    table,
    [
      "name web 172.18.0.2",
      "name web fd00::2",
      "name web.shop 172.18.0.2",
      "name web.shop fd00::2",
      "name www 172.18.0.2",
      "name www 172.18.0.3",
      "name www fd00::2",
      "ptr 172.18.0.2 web.shop",
      "ptr 172.18.0.3 web2.shop",
      "ptr fd00::2 web.shop",
      "",
    ].join("\n"),
  );
});

names("what is no name cannot become a line of its own", () => {
  const hostile = ["a\nname bank 6.6.6.6", "a b", "", ".", "a..b", "x".repeat(64), "é"];
  assert.is(formatTable([{ names: hostile, addresses: ["1.2.3.4"], reverse: "a\nb" }]), "");
  const view = { networks: [], aliases: [{ name: "x\nserver 6.6.6.6", target: "db" }], servers: [] };
  assert.is(formatResolver(view, []), "");
});

names("a container's view says its aliases, its networks and its servers, in this order", () => {
  const view = { networks: ["n1"], aliases: [{ name: "Database", target: "db" }], servers: ["10.0.0.1"] };
  assert.is(
    formatResolver(view, ["/run/n1/names"]),
    "alias database db\ntable /run/n1/names\nserver 10.0.0.1\n",
  );
});

names("files are replaced, and removed with what they stand for", () => {
  const directory = mkdtempSync(join(tmpdir(), "slw-names-"));
  try {
    const files = new Names(directory);
    files.writeTable("n1", [{ names: ["web"], addresses: ["1.2.3.4"], reverse: "web.n" }]);
    files.writeTable("n1", [{ names: ["db"], addresses: ["1.2.3.5"], reverse: "db.n" }]);
    assert.is(readFileSync(files.tableOf("n1"), "utf8"), "name db 1.2.3.5\nptr 1.2.3.5 db.n\n");
    files.removeTable("n1");
    files.removeTable("n1");
    assert.throws(() => readFileSync(files.tableOf("n1")), /ENOENT/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

names.run();
