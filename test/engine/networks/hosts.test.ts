import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  formatHosts,
  formatResolvConf,
  ownNames,
  parseExtraHost,
  parseResolvConf,
} from "../../../engine/networks/hosts.ts";

const hosts = suite("engine/networks/hosts");

hosts("the container's own line comes last, its full name first", () => {
  const text = formatHosts([
    { address: "10.0.0.9", names: ["db"] },
    { address: "172.18.0.2", names: ownNames("web", "example.com") },
  ]);
  assert.equal(text.split("\n").slice(-3), ["10.0.0.9\tdb", "172.18.0.2\tweb.example.com web", ""]);
});

for (const [text, address, name] of [
  ["db:10.0.0.9", "10.0.0.9", "db"],
  ["db=10.0.0.9", "10.0.0.9", "db"],
  ["db:fd00::9", "fd00::9", "db"],
  ["db:[fd00::9]", "fd00::9", "db"],
  ["gate:host-gateway", "host-gateway", "gate"],
] as const) {
  hosts(`${text} gives ${name} the address ${address}`, () =>
    assert.equal(parseExtraHost(text), { address, names: [name] }),
  );
}

for (const text of ["db", ":10.0.0.9", "db:", "a b:1.2.3.4", "db:1.2.3.4\n6.6.6.6 bank"]) {
  hosts(`${JSON.stringify(text)} is refused`, () => assert.is(parseExtraHost(text), undefined));
}

hosts("a hostile host name cannot become a line", () => {
  const text = formatHosts([{ address: "172.17.0.2", names: ["db", "x\n6.6.6.6 bank", "a b", ""] }]);
  assert.equal(text.split("\n").slice(-2), ["172.17.0.2\tdb", ""]);
});

hosts("resolv.conf is read as the C library reads it", () => {
  const text =
    "# mine\nnameserver 10.0.0.1\nnameserver fd00::1 ; comment\ndomain a.example\nsearch b.example c.example\noptions ndots:2\noptions rotate\n";
  const conf = parseResolvConf(text);
  assert.equal(conf, {
    servers: ["10.0.0.1", "fd00::1"],
    search: ["b.example", "c.example"],
    options: ["ndots:2", "rotate"],
  });
  assert.is(
    formatResolvConf(conf),
    "nameserver 10.0.0.1\nnameserver fd00::1\nsearch b.example c.example\noptions ndots:2 rotate\n",
  );
});

hosts.run();
