#!/bin/sh
# Runs tests on a kernel whose cgroups are v2 alone: a user-mode Linux of Debian, booted on this machine's own files,
# read-only. Nothing is installed; the kernel is fetched once, by apt.
#
#   test/v2/run.sh test/engine/native/options.test.ts...
#
# Prints what the tests print; its status is theirs. Takes 3 s for the boot. No part of `npm test`.
set -eu
here=$(dirname "$(readlink -f "$0")")
root=$(readlink -f "$here/../..")
cache=$root/.cache/uml
output=$(mktemp)
trap 'rm -f "$output"' EXIT

if [ ! -x "$cache/usr/bin/linux.uml" ]; then
  mkdir -p "$cache"
  (cd "$cache" && apt-get download -qq user-mode-linux && dpkg-deb -x user-mode-linux_*.deb . && rm user-mode-linux_*.deb)
fi

# Numbers alone after `mem=`: the kernel's command line goes to init as its environment.
TMPDIR=/tmp "$cache/usr/bin/linux.uml" mem=1024M root=/dev/root rootfstype=hostfs rootflags=/ ro \
  init="$here/init.sh" con=null con0=null,fd:1 con1=null quiet loglevel=3 \
  SLIPWAY_ROOT="$root" SLIPWAY_TESTS="$(echo "$@" | tr ' ' ,)" </dev/null >"$output" 2>&1 || true

sed '/^reboot:/d; /^STATUS /d' "$output"
status=$(sed -n 's/^STATUS \([0-9]*\).*/\1/p' "$output")
exit "${status:-1}"
