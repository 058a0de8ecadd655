import { execFile } from "node:child_process";
import { join } from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { EngineError } from "../../errors.ts";
import { tarEnd, tarFile, tarHeader } from "../archive/tar-writer.ts";
import { hostPlatform } from "../import.ts";
import type { ImageConfig } from "../types.ts";
import { PrivateApt, runProgram } from "./apt.ts";
import type { Workshop } from "./bootstrap.ts";
import { unpackPackages } from "./package.ts";
import { LABEL, machineNames, machineSuite } from "./plan.ts";
import { machineSources, sourcesFor } from "./sources.ts";

const DIRECTORIES = ["dev", "etc", "home", "proc", "root", "sys", "tmp", "usr", "var"];

/** The smallest useful image: Debian's busybox-static and the links of its applets. */
export async function makeBusybox(workshop: Workshop): Promise<ImageConfig> {
  const { store, directory, say, signal } = workshop;
  const suite = machineSuite();
  const sources = sourcesFor(machineSources(), suite, machineNames(suite)[0] ?? "");
  if (sources.length === 0)
    throw new EngineError("unavailable", "apt on this machine has no Debian sources to make an image from");
  const apt = await PrivateApt.open(
    directory,
    sources,
    (await runProgram("dpkg", ["--print-architecture"], {})).trim(),
  );
  say("Fetching package lists");
  await apt.update(signal);
  say("Fetching busybox-static");
  const debs = await apt.download(["busybox-static", "libc6-"], signal);
  const deb = debs.find((path) => path.includes("/busybox-static_"));
  if (deb === undefined) throw new EngineError("unavailable", "apt fetched no busybox-static");
  const staging = await store.layers.stage();
  try {
    const exclude = ["*", "!.", "!bin", "!bin/busybox", "!usr", "!usr/bin", "!usr/bin/busybox"];
    const [pkg] = await unpackPackages([deb], { workers: store.workers, tree: staging.fs, exclude });
    if (pkg === undefined) throw new EngineError("unavailable", "apt fetched no busybox-static");
    const program = pkg.paths.find((path) => path.endsWith("/bin/busybox")) ?? "/bin/busybox";
    const applets = await listApplets(join(staging.fs, program));
    const into = { kind: "dir", path: staging.fs } as const;
    const rest = restOfRoot(applets, program, pkg.newest);
    await store.workers.untar(Readable.from([rest]), into, { whiteouts: "plain" });
    const layer = await store.layers.adoptStaged(staging, workshop.lease);
    const created = new Date(pkg.newest * 1000).toISOString();
    return {
      ...hostPlatform(),
      created,
      config: {
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        Cmd: ["sh"],
        Labels: { [LABEL.suite]: suite, [LABEL.packages]: `${pkg.name}=${pkg.version}` },
      },
      rootfs: { type: "layers", diff_ids: [layer.diffId] },
      history: [{ created, created_by: `slipway image bootstrap busybox (${pkg.name} ${pkg.version})` }],
    };
  } catch (error) {
    await store.layers.discard(staging);
    throw error;
  }
}

/** The program was verified by apt and is run to name its applets; it is static, so it runs outside its image, too. */
async function listApplets(program: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(program, ["--list"], { env: {} });
  return stdout.split("\n").filter((name) => /^[A-Za-z0-9_[.-]+$/.test(name) && name !== "busybox");
}

function restOfRoot(applets: readonly string[], program: string, mtime: number): Buffer {
  return Buffer.concat([
    tarHeader({ name: "./", directory: true, mtime }),
    ...["bin", ...DIRECTORIES].map((name) =>
      tarHeader({
        name: `${name}/`,
        directory: true,
        mtime,
        mode: name === "tmp" ? 0o1777 : name === "root" ? 0o700 : 0o755,
      }),
    ),
    ...applets.map((name) => tarHeader({ name: `bin/${name}`, link: program, mtime })),
    ...(program === "/bin/busybox" ? [] : [tarHeader({ name: "bin/busybox", link: program, mtime })]),
    tarFile("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n", {
      mtime,
    }),
    tarFile("etc/group", "root:x:0:\nnobody:x:65534:\n", { mtime }),
    tarFile("etc/shadow", "root:*::0:::::\nnobody:*::0:::::\n", { mtime, mode: 0o600 }),
    tarEnd(),
  ]);
}
