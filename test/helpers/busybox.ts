import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { makeTar } from "./tar.ts";

const PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n";
const GROUP = "root:x:0:\nnobody:x:65534:\n";

/** The root file system of the smallest useful image, as a tar: Debian's busybox-static and its applets' links. */
export function busyboxTar(passwd = PASSWD, group = GROUP): Buffer {
  const program = "/bin/busybox";
  const applets = execFileSync(program, ["--list"], { encoding: "utf8" }).trim().split("\n");
  return makeTar([
    ...["bin/", "dev/", "etc/", "proc/", "root/", "sys/", "tmp/", "usr/", "var/"].map((path) => ({ path })),
    { path: "bin/busybox", content: readFileSync(program), mode: 0o755 },
    ...applets.filter((name) => name !== "busybox").map((name) => ({ path: `bin/${name}`, link: "busybox" })),
    { path: "etc/passwd", content: passwd },
    { path: "etc/group", content: group },
  ]);
}
