import { tarFile, tarHeader } from "../archive/tar-writer.ts";
import type { Package } from "./package.ts";

/**
 * dpkg's database for packages that are unpacked and not configured, as an archive to unpack at the root.
 *
 * dpkg itself writes the same when it unpacks; doing it here saves it from unpacking everything a second time.
 * @see dpkg's deb-triggers(5) and lib/dpkg/triglib.c for triggers/
 */
export function packageDatabase(packages: readonly Package[]): Buffer {
  const info = packages.flatMap((pkg) => [
    tarFile(`var/lib/dpkg/info/${pkg.key}.list`, pkg.paths.map((path) => `${path}\n`).join("")),
    ...[...pkg.control].map(([name, file]) =>
      tarFile(`var/lib/dpkg/info/${pkg.key}.${name}`, file.content, {
        mode: file.executable ? 0o755 : 0o644,
      }),
    ),
  ]);
  return Buffer.concat([
    ...["", "info/", "updates/", "triggers/", "alternatives/", "parts/"].map((name) =>
      tarHeader({ name: `var/lib/dpkg/${name}`, directory: true }),
    ),
    tarFile("var/lib/dpkg/status", packages.map(statusStanza).join("\n")),
    tarFile("var/lib/dpkg/available", ""),
    tarFile("var/lib/dpkg/diversions", ""),
    tarFile("var/lib/dpkg/statoverride", ""),
    tarFile("var/lib/dpkg/info/format", "1\n"),
    ...info,
    ...triggerFiles(packages),
  ]);
}

function statusStanza(pkg: Package): string {
  const [first = "", ...rest] = pkg.stanza.split("\n");
  const conffiles = pkg.conffiles.map(({ path, md5 }) => ` ${path} ${md5}`);
  const lines = [
    first,
    "Status: install ok unpacked",
    ...(conffiles.length > 0 ? ["Conffiles:", ...conffiles] : []),
    ...rest,
  ];
  return `${lines.join("\n")}\n`;
}

/** Who waits for which path (all in `File`) and for which name (a file each). */
function triggerFiles(packages: readonly Package[]): Buffer[] {
  const paths: string[] = [];
  const names = new Map<string, string[]>();
  for (const pkg of packages) {
    for (const line of (pkg.control.get("triggers")?.content.toString("utf8") ?? "").split("\n")) {
      const [, how, name] = /^\s*interest(-await|-noawait)?\s+(\S+)/.exec(line) ?? [];
      if (name === undefined) continue;
      const listener = `${pkg.key}${how === "-noawait" ? "/noawait" : ""}`;
      if (name.startsWith("/")) paths.push(`${name} ${listener}`);
      else names.set(name, [...(names.get(name) ?? []), listener]);
    }
  }
  return [
    tarFile("var/lib/dpkg/triggers/File", paths.map((line) => `${line}\n`).join("")),
    ...[...names].map(([name, listeners]) =>
      tarFile(`var/lib/dpkg/triggers/${name}`, listeners.map((listener) => `${listener}\n`).join("")),
    ),
  ];
}
