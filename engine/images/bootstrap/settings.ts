import { tarEnd, tarFile } from "../archive/tar-writer.ts";
import { printSources, type Source } from "./sources.ts";

/** What a slim image does without; copyright files stay, licences ask for them. Also dpkg's own patterns in it. */
export const SLIM_EXCLUDES: readonly string[] = [
  "usr/share/doc/*",
  "!usr/share/doc/*/copyright",
  "usr/share/man/*",
  "usr/share/groff/*",
  "usr/share/info/*",
  "usr/share/lintian/*",
  "usr/share/linda/*",
  "usr/share/locale/*",
];

/** Settings of apt and dpkg that suit images: those of Debian's own. @see github.com/debuerreotype/debuerreotype */
export function imageSettings(
  sources: readonly Source[],
  slim: boolean,
  keys: ReadonlyMap<string, Buffer>,
): Buffer {
  const excludes = SLIM_EXCLUDES.map((pattern) =>
    pattern.startsWith("!") ? `path-include /${pattern.slice(1)}` : `path-exclude /${pattern}`,
  );
  return Buffer.concat([
    tarFile("etc/apt/sources.list.d/debian.sources", printSources(sources)),
    tarFile("etc/apt/apt.conf.d/docker-clean", CLEAN),
    tarFile("etc/apt/apt.conf.d/docker-no-languages", 'Acquire::Languages "none";\n'),
    tarFile("etc/apt/apt.conf.d/docker-gzip-indexes", 'Acquire::GzipIndexes "true";\n'),
    tarFile("etc/apt/apt.conf.d/docker-autoremove-suggests", 'Apt::AutoRemove::SuggestsImportant "false";\n'),
    tarFile(
      "etc/dpkg/dpkg.cfg.d/docker-apt-speedup",
      "# A container does not survive a power cut anyway.\nforce-unsafe-io\n",
    ),
    ...(slim ? [tarFile("etc/dpkg/dpkg.cfg.d/docker", `${excludes.join("\n")}\n`)] : []),
    tarFile(
      "usr/sbin/policy-rc.d",
      "#!/bin/sh\n# No services are started while packages are installed.\nexit 101\n",
      { mode: 0o755 },
    ),
    ...[...keys].map(([path, key]) => tarFile(path.replace(/^\//, ""), key)),
    tarEnd(),
  ]);
}

/** Packages and indexes that are of no use in a layer are not kept. */
const CLEAN = [
  'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };',
  'APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };',
  'Dir::Cache::pkgcache "";',
  'Dir::Cache::srcpkgcache "";',
  "",
].join("\n");

/**
 * Configures what is unpacked, and leaves nothing that differs from run to run: `$1` is the time, in seconds since the
 * epoch, that newer files are given, and directories, whose own depends on which package was unpacked last.
 *
 * base-passwd and base-files first, without asking for their dependencies: everything else needs root to have a name.
 */
export const CONFIGURE = `set -eu
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH="$1"
export DPKG_MAINTSCRIPT_ARCH=$(dpkg --print-architecture) DPKG_ROOT= DPKG_ADMINDIR=/var/lib/dpkg
cd /var/lib/dpkg/info
for script in base-passwd.preinst *.preinst; do
  [ -e "$script" ] || continue
  package=\${script%.preinst}
  DPKG_MAINTSCRIPT_NAME=preinst DPKG_MAINTSCRIPT_PACKAGE=\${package%%:*} DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 \\
    DPKG_RUNNING_VERSION=$(dpkg-query -W -f '\${Version}' dpkg) "./$script" install
done
cd /
dpkg --configure --force-depends --force-unsafe-io base-passwd base-files
dpkg --configure --force-unsafe-io --pending
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /var/cache/debconf/*-old \\
  /var/cache/ldconfig/aux-cache /var/log/dpkg.log /var/log/alternatives.log /var/log/bootstrap.log /var/log/apt/* \\
  /var/lib/dpkg/*-old /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/subuid- /etc/subgid- /run/mount /tmp/* /var/tmp/*
[ ! -e /etc/shadow ] || sed -i "s/^\\([^:]*:[^:]*\\):[0-9]*:/\\1:$(($1 / 86400)):/" /etc/shadow
[ ! -e /etc/machine-id ] || : > /etc/machine-id
touch -d "@$1" /tmp/.newest
find / -xdev \\( -path /dev -o -path /proc -o -path /sys -o -path /etc/hosts -o -path /etc/hostname \\
  -o -path /etc/resolv.conf -o -path /etc/mtab -o -path /.dockerenv \\) -prune \\
  -o \\( -newer /tmp/.newest -o -type d \\) -exec touch --no-dereference --date="@$1" {} + || true
rm /tmp/.newest
touch -d "@$1" /tmp
`;
