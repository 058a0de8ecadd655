/** Networks as containers see them: names, ways in, ways out, and walls. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Bench, HERE, HERE6, OUTSIDE, OUTSIDE6, type Started } from "./bench.ts";

const networks = suite("engine/networks");
let bench: Bench;
let web: Started;
let client: Started;
let stranger: Started;

/** That the engine's own words say why. */
async function refused(work: Promise<unknown>, words: RegExp): Promise<void> {
  const reason = await work.then(
    () => "nothing was refused",
    (error: Error) => error.message,
  );
  assert.match(reason, words);
}

networks.before(async () => {
  bench = await Bench.open();
  const { client: engine } = bench.sandbox;
  await engine.createNetwork({ Name: "shop" });
  await engine.createNetwork({ Name: "other" });
  await engine.createNetwork({ Name: "inside", Internal: true });
  const PortBindings = { "80/tcp": [{ HostPort: "8080" }], "53/udp": [{ HostPort: "5353" }] };
  await bench.serveNames();
  web = await bench.start("web", "shop", { PortBindings }, { Aliases: ["www"] });
  client = await bench.start("client", "shop", { Dns: [OUTSIDE] });
  stranger = await bench.start("stranger", "other", { Dns: [OUTSIDE] });
  await bench.serve(web);
});
networks.after(() => bench?.close());

networks("containers of a network find each other by name, alias and id", async () => {
  const address = web.addresses["shop"];
  for (const name of ["web", "WEB", "www", "web.shop", web.id.slice(0, 12)]) {
    assert.is(await bench.resolve(client, name), address, name);
  }
  assert.is(await bench.resolveTcp(client, "web"), address);
  assert.is(await bench.resolve(client, address!, "reverse"), "web.shop");
  assert.is(await bench.call(client, address!, 80), `::ffff:${client.addresses["shop"]}`);
});

networks("a name without an address of that family exists all the same", async () => {
  assert.is(await bench.resolve(client, "web", "resolve6"), "ENODATA");
});

networks("a name of several containers gives all their addresses", async () => {
  const more = await Promise.all([1, 2].map((n) => bench.start(`web${n}`, "shop", {}, { Aliases: ["www"] })));
  const all = [web, ...more].map(({ addresses }) => addresses["shop"]).sort();
  assert.is(await bench.resolve(client, "www"), all.join(" "));
  await bench.remove(...more);
  assert.is(await bench.resolve(client, "www"), web.addresses["shop"]);
});

networks("names of other networks are not known", async () => {
  assert.is(await bench.resolve(stranger, "web"), "ENOTFOUND");
});

networks("other names are asked of the servers outside, over both protocols", async () => {
  assert.is(await bench.resolve(client, "x.test"), HERE);
  assert.is(await bench.resolveTcp(client, "x.test"), HERE);
  assert.is(await bench.resolve(client, "nowhere.invalid"), "ENOTFOUND");
});

networks("a renamed container answers to its new name alone", async () => {
  const container = await bench.start("before", "shop");
  await bench.sandbox.client.renameContainer(container.id, "after");
  assert.is(await bench.resolve(client, "after"), container.addresses["shop"]);
  assert.is(await bench.resolve(client, "before"), "ENOTFOUND");
  await bench.remove(container);
});

networks("a published port is reached from outside, which keeps its address", async () => {
  assert.is(await bench.call("outside", HERE, 8080), `::ffff:${OUTSIDE}`);
  assert.is(await bench.callUdp("outside", HERE, 5353), OUTSIDE);
});

networks("a published port is reached from the machine itself, by every address of it", async () => {
  for (const host of ["127.0.0.1", HERE, "172.18.0.1", "::1"]) {
    assert.match(await bench.call("machine", host, 8080), /^::ffff:/, host);
  }
  assert.match(await bench.callUdp("machine", "127.0.0.1", 5353), /^172\.18\.0\.1$/);
});

networks("a published port is reached from containers: neighbours, strangers and its own", async () => {
  for (const from of [client, stranger, web]) assert.match(await bench.call(from, HERE, 8080), /^::ffff:/);
});

networks("what is not published is not reached from outside or from another network", async () => {
  await bench.outside("ip", "route", "add", "172.16.0.0/12", "via", HERE);
  assert.is(await bench.unanswered("outside", web.addresses["shop"]!, 80), "ETIMEDOUT");
  assert.is(await bench.unanswered(stranger, web.addresses["shop"]!, 80), "ETIMEDOUT");
});

networks("containers reach the outside, behind the machine's address", async () => {
  const said = await bench.node(
    client,
    `const d = require("node:dns").promises, r = new d.Resolver(); r.setServers(["${OUTSIDE}"]); r.resolve4("x.test").then(console.log)`,
  );
  assert.is(said, `[ '${HERE}' ]`);
});

networks("an internal network has no way out, not even for names", async () => {
  const [a, b] = [await bench.start("aa", "inside", { Dns: [OUTSIDE] }), await bench.start("bb", "inside")];
  assert.is(await bench.resolve(a, "bb"), b.addresses["inside"]);
  assert.is(await bench.resolve(a, "x.test"), "ENOTFOUND");
  assert.is(await bench.call(a, OUTSIDE, 80), "ENETUNREACH");
  await bench.serve(b);
  assert.is(await bench.call(a, b.addresses["inside"]!, 80), `::ffff:${a.addresses["inside"]}`);
  await bench.remove(a, b);
});

networks("a container gets the address and the MAC that it asks for", async () => {
  await bench.sandbox.client.createNetwork({ Name: "fixed", IPAM: { Config: [{ Subnet: "10.77.0.0/24" }] } });
  const endpoint = { IPAMConfig: { IPv4Address: "10.77.0.9" }, MacAddress: "02:00:00:00:00:09" };
  const container = await bench.start("nine", "fixed", {}, endpoint);
  assert.is(container.addresses["fixed"], "10.77.0.9");
  const { Networks } = (await bench.sandbox.client.inspectContainer(container.id)).NetworkSettings;
  assert.is(Networks["fixed"]?.MacAddress, "02:00:00:00:00:09");
  await refused(bench.start("nine-too", "fixed", {}, endpoint), /Address already in use/);
  await bench.remove(container);
});

networks(
  "an ephemeral port is chosen, and only loopback is opened when only loopback is asked for",
  async () => {
    const container = await bench.start("local", "shop", {
      PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
    });
    const [binding, ...others] = container.ports["80/tcp"] ?? [];
    assert.is(others.length, 0);
    assert.is(binding?.HostIp, "127.0.0.1");
    await bench.serve(container);
    assert.match(await bench.call("machine", "127.0.0.1", Number(binding?.HostPort)), /^::ffff:/);
    assert.is(await bench.call("outside", HERE, Number(binding?.HostPort)), "ECONNREFUSED");
    await bench.remove(container);
  },
);

networks("a port that is taken is refused, and the message says by whom", async () => {
  await refused(
    bench.start("rival", "other", { PortBindings: { "80/tcp": [{ HostPort: "8080" }] } }),
    /Bind for 0\.0\.0\.0:8080 failed: port is already allocated \(by container web\)/,
  );
  const held = bench.node(
    "machine",
    `require("node:net").createServer().listen(8099, "0.0.0.0", () => setTimeout(() => process.exit(), 3000))`,
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
  await refused(
    bench.start("rival2", "other", { PortBindings: { "80/tcp": [{ HostPort: "8099" }] } }),
    /listen tcp4 0\.0\.0\.0:8099: bind: address already in use \(by process \d+: .*node/,
  );
  await held;
});

networks("a port is free again once its container has gone", async () => {
  const bindings = { PortBindings: { "80/tcp": [{ HostPort: "8081" }] } };
  for (const name of ["first", "second"]) {
    const container = await bench.start(name, "shop", bindings);
    await bench.serve(container);
    assert.is(await bench.call("outside", HERE, 8081), `::ffff:${OUTSIDE}`);
    await bench.remove(container);
  }
  assert.is(await bench.call("outside", HERE, 8081), "ECONNREFUSED");
});

networks("a running container is plugged into a network and out again", async () => {
  const { client: engine } = bench.sandbox;
  await engine.connectNetwork("other", { Container: client.id, EndpointConfig: { Aliases: ["guest"] } });
  const { addresses } = await bench.inspect(client.id);
  assert.is(await bench.resolve(stranger, "guest"), addresses["other"]);
  assert.is(await bench.resolve(client, "stranger"), stranger.addresses["other"]);
  await bench.serve(client);
  assert.is(await bench.call(stranger, addresses["other"]!, 80), `::ffff:${stranger.addresses["other"]}`);
  await engine.disconnectNetwork("other", { Container: client.id });
  assert.is(await bench.resolve(stranger, "guest"), "ENOTFOUND");
  assert.is(await bench.resolve(client, "web"), web.addresses["shop"]);
  assert.match(await bench.unanswered(stranger, addresses["other"]!, 80), /EHOSTUNREACH|ETIMEDOUT/);
});

networks(
  "the default route and the published ports go to the first network by name, and come back",
  async () => {
    const { client: engine } = bench.sandbox;
    for (const Name of ["aaa", "zzz"]) await engine.createNetwork({ Name });
    const bindings = { PortBindings: { "80/tcp": [{ HostPort: "8090" }] } };
    const mover = await bench.start("mover", "zzz", bindings);
    await bench.serve(mover);
    const route = async (): Promise<string> => {
      const [line = ""] = (await bench.run(mover, "ip", "route", "show", "default")).split("\n");
      return line.split(" ").at(4) ?? "";
    };
    const reached = async (): Promise<string> =>
      `${await bench.call("outside", HERE, 8090)} ${await bench.call("machine", "127.0.0.1", 8090)}`;
    const calls = async () => [await route(), (await reached()).replace(/(::ffff:)?[\d.]+$/, "local")];
    const answers = `::ffff:${OUTSIDE} local`;
    assert.equal(await calls(), ["eth0", answers]);
    await engine.connectNetwork("aaa", { Container: mover.id });
    assert.equal(await calls(), ["eth1", answers], "aaa comes before zzz");
    await engine.disconnectNetwork("aaa", { Container: mover.id });
    assert.equal(await calls(), ["eth0", answers]);
    await engine.disconnectNetwork("zzz", { Container: mover.id });
    assert.equal((await bench.inspect(mover.id)).ports, {});
    assert.is(await reached(), "ECONNREFUSED ECONNREFUSED");
    await engine.connectNetwork("aaa", { Container: mover.id });
    assert.equal(await calls(), ["eth0", answers]);
    await engine.restartContainer(mover.id, { timeout: 0 });
    assert.equal(Object.keys((await bench.inspect(mover.id)).addresses), ["aaa"], "not on zzz any more");
    await bench.remove(mover);
    for (const name of ["aaa", "zzz"]) await engine.removeNetwork(name);
  },
);

networks("a container without a network gets one while it runs", async () => {
  const { client: engine } = bench.sandbox;
  const lonely = await bench.start("lonely", "none");
  await engine.disconnectNetwork("none", { Container: lonely.id });
  assert.equal((await bench.inspect(lonely.id)).addresses, {});
  await engine.connectNetwork("shop", { Container: lonely.id });
  assert.is(await bench.resolve(lonely, "web"), web.addresses["shop"]);
  await bench.remove(lonely);
});

networks(
  "a container of the default network gets a resolver with its first network of a user's",
  async () => {
    const container = await bench.start("plain", "bridge");
    assert.is(await bench.resolve(container, "web"), "ECONNREFUSED");
    await bench.sandbox.client.connectNetwork("shop", { Container: container.id });
    assert.is(await bench.resolve(container, "web"), web.addresses["shop"]);
    const file = await bench.read(container, "/etc/resolv.conf");
    assert.is(file, "nameserver 127.0.0.11\noptions ndots:0\n");
    await bench.remove(container);
  },
);

networks("with IPv6 switched on containers have a local subnet of it, its names and its ports", async () => {
  await bench.sandbox.client.createNetwork({ Name: "six", EnableIPv6: true });
  const ports = { PortBindings: { "80/tcp": [{ HostIp: "::", HostPort: "8086" }] } };
  const [a, b] = [await bench.start("six-a", "six", ports), await bench.start("six-b", "six")];
  const address = await bench.resolve(b, "six-a", "resolve6");
  assert.match(address, /^fd[0-9a-f:]+::2$/);
  await bench.serve(a);
  assert.match(await bench.call(b, address, 80), /^fd[0-9a-f:]+::3$/);
  assert.match(await bench.call("machine", "::1", 8086), /^fd/);
  assert.is(await bench.call("outside", HERE6, 8086), OUTSIDE6);
  for (const from of [a, b]) assert.match(await bench.call(from, HERE6, 8086), /^fd/);
  await bench.remove(a, b);
});

networks("without it containers have no IPv6 but their loopback's (CVE-2024-32473)", async () => {
  const text = await bench.node(
    web,
    `console.log(require("node:fs").readFileSync("/proc/thread-self/net/if_inet6", "utf8"))`,
  );
  assert.match(text, /^0{31}1 [^\n]+ lo$/);
});

networks("a network in use is not removed", async () => {
  const { client: engine } = bench.sandbox;
  await refused(engine.removeNetwork("shop"), /network shop id [0-9a-f]{64} has active endpoints/);
  await refused(engine.removeNetwork("bridge"), /bridge is a pre-defined network and cannot be removed/);
  await refused(engine.createNetwork({ Name: "shop" }), /network with name shop already exists/);
});

networks(
  "a container of several networks has a link in each, and its way out by the first name",
  async () => {
    const { client: engine } = bench.sandbox;
    const EndpointsConfig = { shop: {}, other: { Aliases: ["both"] }, inside: {} };
    const HostConfig = { NetworkMode: "shop" };
    const create = {
      name: "all-three",
      Image: "busybox",
      Cmd: ["sleep", "1000"],
      HostConfig,
      NetworkingConfig: { EndpointsConfig },
    };
    const { Id } = await engine.createContainer(create);
    await engine.startContainer(Id);
    const container = await bench.inspect(Id);
    assert.equal(Object.keys(container.addresses).sort(), ["inside", "other", "shop"]);
    assert.is(await bench.resolve(stranger, "both"), container.addresses["other"]);
    assert.is(await bench.resolve(container, "web"), web.addresses["shop"]);
    const routes = await bench.run(container, "ip", "route");
    assert.match(routes, /^default via 172\.\d+\.0\.1 dev eth2 $/m, "eth0 is shop, eth1 inside, eth2 other");
    await bench.remove(container);
  },
);

networks("options of a network: no talk between containers, no masquerade, an MTU", async () => {
  const option = (name: string, value: string) => ({ Options: { [`com.docker.network.${name}`]: value } });
  const { client: engine } = bench.sandbox;
  await engine.createNetwork({ Name: "quiet", ...option("bridge.enable_icc", "false") });
  await engine.createNetwork({ Name: "open", ...option("bridge.enable_ip_masquerade", "false") });
  await engine.createNetwork({ Name: "narrow", ...option("driver.mtu", "1300") });
  const [a, b, c, d] = [
    await bench.start("quiet-a", "quiet", { PortBindings: { "80/tcp": [{ HostPort: "8087" }] } }),
    await bench.start("quiet-b", "quiet"),
    await bench.start("open-c", "open"),
    await bench.start("narrow-d", "narrow"),
  ];
  await bench.serve(a);
  assert.match(await bench.unanswered(b, a.addresses["quiet"]!, 80), /EHOSTUNREACH|ETIMEDOUT/);
  assert.is(await bench.call("outside", HERE, 8087), `::ffff:${OUTSIDE}`);
  const ask = `const d = require("node:dns").promises, r = new d.Resolver(); r.setServers(["${OUTSIDE}"]); r.resolve4("x.test").then(([a]) => console.log(a))`;
  assert.is(await bench.node(b, ask), HERE);
  assert.is(await bench.node(c, ask), c.addresses["open"]);
  assert.match(await bench.run(d, "ip", "link", "show", "eth0"), /mtu 1300/);
  await bench.remove(a, b, c, d);
});

networks(
  "a bridge of somebody else's is used and left alone; a link that is no bridge is refused",
  async () => {
    const { client: engine, inside } = { client: bench.sandbox.client, inside: bench.inside };
    await inside("ip", "link", "add", "mine", "type", "bridge");
    const options = (name: string) => ({ Options: { "com.docker.network.bridge.name": name } });
    await engine.createNetwork({ Name: "borrowed", ...options("mine") });
    await refused(
      engine.createNetwork({ Name: "twin", ...options("mine") }),
      /networks have same bridge name/,
    );
    await engine.removeNetwork("borrowed");
    await refused(
      engine.createNetwork({ Name: "nobridge", ...options("up0") }),
      /exists, and it is not a bridge/,
    );
    for (const link of ["mine", "up0"])
      assert.match(await inside("ip", "-br", "link"), new RegExp(`^${link}\\b`, "m"));
    await refused(engine.createNetwork({ Name: "evil", ...options("../../x") }), /invalid bridge name/);
  },
);

networks("a UDP sender that goes on reaches the container that took the port over", async () => {
  const ports = { PortBindings: { "53/udp": [{ HostPort: "5399" }] } };
  const first = await bench.start("udp-first", "shop", ports);
  await bench.serve(first);
  const said = bench.node(
    "outside",
    `const s = require("node:dgram").createSocket("udp4"); let n = 0; s.on("message", (m, from) => n++);
     const t = setInterval(() => s.send("?", 5399, "${HERE}"), 50); setTimeout(() => { n = 0; }, 3000); setTimeout(() => { console.log(n > 0); process.exit(); }, 4000);`,
  );
  await new Promise((resolve) => setTimeout(resolve, 400));
  await bench.remove(first);
  const second = await bench.start("udp-second", "shop", ports);
  await bench.serve(second);
  assert.is(await said, "true");
  await bench.remove(second);
});

networks("-P publishes every exposed port", async () => {
  const container = await bench.start(
    "all",
    "shop",
    { PublishAllPorts: true },
    {},
    { ExposedPorts: { "80/tcp": {}, "53/udp": {} } },
  );
  await bench.serve(container);
  assert.equal(Object.keys(container.ports).sort(), ["53/udp", "80/tcp"]);
  assert.is(
    await bench.call("outside", HERE, Number(container.ports["80/tcp"]?.[0]?.HostPort)),
    `::ffff:${OUTSIDE}`,
  );
  assert.is(await bench.callUdp("outside", HERE, Number(container.ports["53/udp"]?.[0]?.HostPort)), OUTSIDE);
  await bench.remove(container);
});

networks("rules that somebody took away come back with the next container", async () => {
  await bench.dropTable();
  assert.is(
    await bench.call(stranger, web.addresses["shop"]!, 80),
    `::ffff:${stranger.addresses["other"]}`,
    "no wall",
  );
  await bench.remove(
    await bench.start("repair", "shop", { PortBindings: { "80/tcp": [{ HostPort: "8082" }] } }),
  );
  assert.is(await bench.unanswered(stranger, web.addresses["shop"]!, 80), "ETIMEDOUT");
  assert.is(await bench.call("outside", HERE, 8080), `::ffff:${OUTSIDE}`);
});

networks("with the daemon killed names and ports go on, and the next daemon knows them", async () => {
  await bench.sandbox.kill9();
  assert.is(await bench.call("outside", HERE, 8080), `::ffff:${OUTSIDE}`);
  assert.match(await bench.call("machine", "127.0.0.1", 8080), /^::ffff:/);
  assert.is(await bench.resolve(client, "web"), web.addresses["shop"]);
  assert.is(await bench.resolve(client, "x.test"), HERE);
  await bench.sandbox.start();
  assert.is(await bench.call("outside", HERE, 8080), `::ffff:${OUTSIDE}`);
  await refused(
    bench.start("rival3", "other", { PortBindings: { "80/tcp": [{ HostPort: "8080" }] } }),
    /by container web/,
  );
  const late = await bench.start("late", "shop");
  assert.is(await bench.resolve(client, "late"), late.addresses["shop"]);
  assert.is.not(late.addresses["shop"], web.addresses["shop"]);
});

networks("a daemon that ends with no container left leaves nothing in its namespace", async () => {
  const { client: engine } = bench.sandbox;
  for (const { Id } of await engine.listContainers({ all: true }))
    await engine.removeContainer(Id, { force: true });
  await bench.endServers();
  await bench.sandbox.stop();
  const links = (await bench.inside("ip", "-br", "link")).split("\n").map((line) => line.split(/[\s@]/)[0]);
  assert.equal(links.filter(Boolean).sort(), ["lo", "mine", "up0"]);
  assert.is((await bench.inside("cat", "/proc/sys/net/ipv4/ip_forward")).trim(), "0");
  await bench.sandbox.start();
  const again = await bench.start("again", "shop", { PortBindings: { "80/tcp": [{ HostPort: "8080" }] } });
  await bench.serve(again);
  assert.is(await bench.call("outside", HERE, 8080), `::ffff:${OUTSIDE}`);
  await bench.remove(again);
});

networks.run();
