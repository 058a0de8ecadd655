/**
 * Every published fault of container engines that this project was told of has a test that repeats it, or a reason why it
 * cannot be here. The tests are found by what stands in their titles, so that none is lost when one is renamed.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const published = suite("engine: published faults");

/** Files of tests by the words that are used for them below. */
const FILES = {
  native: "engine/native/hostile.test.ts",
  load: "engine/native/load.test.ts",
  workers: "engine/native/workers.test.ts",
  hostile: "engine/containers/hostile.test.ts",
  neighbours: "engine/containers/neighbours.test.ts",
  races: "engine/containers/races.test.ts",
  isolation: "engine/containers/isolation.test.ts",
  seccomp: "engine/containers/seccomp/filter.test.ts",
  users: "engine/containers/users.test.ts",
  builder: "engine/builder/hostile.test.ts",
  store: "engine/images/store.test.ts",
  networks: "engine/networks/running.test.ts",
  remote: "src/remote/fetch.test.ts",
} as const;

/** Fault, file, and a part of the title or of the text of its test. */
const TESTED: readonly (readonly [fault: string, file: keyof typeof FILES, text: string])[] = [
  [
    "CVE-2014-9356, -9357, -9358, -6407: archive paths and ids escape",
    "store",
    "archives that lie are refused",
  ],
  ["CVE-2015-3627, -3629, -3631: volumes over /proc", "neighbours", "CVE-2015-3631"],
  ["CVE-2016-3697, CVE-2026-46680: a number taken for a name", "hostile", "CVE-2026-46680"],
  ["CVE-2016-8867: capabilities of exec -u", "neighbours", "CVE-2016-8867"],
  ["CVE-2016-9962: descriptors of who joins", "races", "CVE-2016-9962"],
  ["CVE-2019-5736: the runtime overwritten", "hostile", "CVE-2019-5736"],
  [
    "CVE-2019-16884, CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: a false /proc",
    "native",
    "CVE-2019-19921",
  ],
  ["CVE-2021-30465, CVE-2024-45310: a swapped directory", "races", "CVE-2021-30465"],
  ["CVE-2021-43784, CVE-2022-29162: lengths of the protocol", "load", "CVE-2021-43784"],
  ["CVE-2022-24769, CVE-2022-27649 to -27652: inheritable capabilities", "neighbours", "CVE-2022-24769"],
  ["CVE-2024-21626: a working directory of /proc/self/fd", "hostile", "CVE-2024-21626"],
  ["CVE-2025-31133: /dev/null replaced", "native", "CVE-2025-31133"],
  ["CVE-2025-52565: a terminal swapped", "native", "CVE-2025-52565"],
  ["CVE-2025-52881: settings written elsewhere", "hostile", "CVE-2025-52881"],
  ["CVE-2026-41579, CVE-2026-47766: /dev is a link", "native", "CVE-2026-41579"],
  ["CVE-2026-30892: exec -u 1 is root", "neighbours", "CVE-2026-30892"],
  ["crun 2026-07: a cgroup with ..", "native", "a cgroup path with .. is refused"],
  ["CVE-2018-15664: cp and links", "hostile", "CVE-2018-15664"],
  ["CVE-2018-10892: /proc/acpi", "native", "/proc is masked and read-only where Docker's is"],
  ["CVE-2018-20699: a list of CPUs without end", "hostile", "CVE-2018-20699"],
  ["CVE-2019-13139: options in a git reference", "builder", "an option in a git reference is no option"],
  ["CVE-2019-14271: libraries of the container", "neighbours", "CVE-2019-14271"],
  ["CVE-2020-13401: router advertisements", "neighbours", "CVE-2020-13401"],
  ["CVE-2020-15257: abstract sockets", "neighbours", "CVE-2020-15257"],
  [
    "CVE-2020-14386, CVE-2022-0185, CVE-2022-23222, CVE-2024-1086: namespaces and bpf",
    "hostile",
    "namespaces and mounts of its own are refused",
  ],
  ["CVE-2021-41091, -41089, -41103, CVE-2021-21284: modes of the data root", "neighbours", "CVE-2021-41091"],
  ["CVE-2021-21285: a malformed manifest", "store", "archives that lie are refused"],
  ["CVE-2022-0492: release_agent", "hostile", "CVE-2022-0492"],
  ["CVE-2022-0847, CVE-2026-31431: AF_ALG", "seccomp", '"socket", [38n], EPERM'],
  ["CVE-2022-23471, CVE-2022-31030, CVE-2025-64329: execs leak", "load", "CVE-2022-23471"],
  ["CVE-2022-36109, CVE-2023-25173: supplementary groups", "users", "groups"],
  ["CVE-2023-25153, CVE-2026-47262: huge files", "neighbours", "CVE-2023-25153"],
  ["GHSA-jq35, GHSA-6fw5: side channels of /proc and /sys", "isolation", "/proc/interrupts"],
  ["CVE-2024-24557: equal instructions, other content", "builder", "two images of equal instructions"],
  [
    "CVE-2024-29018: names asked from an internal network",
    "networks",
    "an internal network has no way out, not even for names",
  ],
  ["CVE-2024-32473: IPv6 where none was asked for", "networks", "CVE-2024-32473"],
  ["CVE-2024-25621: modes of directories", "neighbours", "CVE-2024-25621"],
  ["CVE-2025-9074: the API reached from containers", "neighbours", "CVE-2025-9074"],
  ["CVE-2025-54388, CVE-2025-54410: rules taken away", "networks", "rules that somebody took away come back"],
  ["CVE-2025-23266, CVE-2024-0132: LD_PRELOAD of an image", "neighbours", "CVE-2025-23266"],
  ["GHSA-x86f-5xw2-fm2r: cp runs a program of the container", "neighbours", "GHSA-x86f"],
  ["GHSA-rg2x-37c3-w2rh, GHSA-vp62-88p7-qqf5: cp and swapped directories", "races", "GHSA-rg2x"],
  ["CVE-2026-17106: links in archives", "hostile", "an archive cannot leave the directory"],
  ["CVE-2026-53488: labels as commands", "neighbours", "CVE-2026-53488"],
  ["/etc/passwd is a FIFO", "hostile", "/etc/passwd is a FIFO"],
  ["CVE-2024-23651: the source of a cache mount", "builder", "what a cache mount's directory is swapped for"],
  ["CVE-2024-23652: stubs of mounts", "builder", "stubs of mounts are removed in the image only"],
  ["CVE-2024-23653, GHSA-7236-3392-c5c6: insecure mode", "builder", "needs an entitlement"],
  ["CVE-2026-33747, CVE-2026-33748, CVE-2025-62725: paths of what is fetched", "remote", "../../.."],
  ["CVE-2024-1753, -9407, -9675, -11218: sources of mounts", "builder", "a bind mount shows nothing outside"],
  ["GHSA-49p4-px3h-rq49: a context with links", "builder", "a context's tar cannot write outside"],
  ["BuildKit 2026: names and links of ADD", "builder", "a tar's entries cannot leave the place"],
  ["CVE-2024-9341, CVE-2024-9676: links in place of user data bases", "neighbours", "CVE-2024-9676"],
  ["CVE-2022-1227: top runs a program of the container", "hostile", "CVE-2022-1227"],
  ["CVE-2019-18466, CVE-2023-0778: cp and export while files move", "races", "CVE-2019-18466"],
  ["CVE-2025-9566: a secret's file is a link", "native", "CVE-2025-9566"],
];

/** What cannot be here, and why. */
const UNTESTED: readonly (readonly [fault: string, reason: string])[] = [
  [
    "CVE-2023-25809: a rootless /sys/fs/cgroup",
    "on v1 a rootless engine has no hierarchy; v2 is tried by test/v2",
  ],
  ["CVE-2023-28840, -28841, -28842: encrypted overlays", "there are no overlay networks"],
  ["CVE-2024-41110, CVE-2026-34040: authorization plugins", "there are no plugins"],
  ["CVE-2026-53489: restored checkpoints", "there are no checkpoints"],
  ["CVE-2021-20199: rootless ports", "their relay connects from the bridge's address, never from loopback's"],
];

published("each is in one list, once", () => {
  const faults = [...TESTED, ...UNTESTED].map(([fault]) => fault);
  assert.is(new Set(faults).size, faults.length);
  for (const [fault, reason] of UNTESTED) assert.ok(reason.length > 0, fault);
});

for (const [fault, file, text] of TESTED) {
  published(fault, () => {
    const path = join(import.meta.dirname, "..", FILES[file]);
    assert.ok(readFileSync(path, "utf8").includes(text), `${FILES[file]} has no test with "${text}"`);
  });
}

published.run();
