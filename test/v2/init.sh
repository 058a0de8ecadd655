#!/bin/sh
# Process 1 of the user-mode kernel of run.sh. All of / is the machine's own, read-only: what is written goes to tmpfs.
export PATH="$SLIPWAY_ROOT/node_modules/.bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root TERM=dumb

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,gid=5,mode=620 devpts /dev/pts
for path in /dev/shm /run /tmp /var/tmp; do mount -t tmpfs -o mode=1777 tmpfs "$path"; done

# Without kmod: a module's dependencies are in modules.dep, last first.
modules="$SLIPWAY_ROOT/.cache/uml/usr/lib/uml/modules/$(uname -r)"
load() {
  for file in $(awk -v m="/$1.ko:" 'index($1, m) { for (i = NF; i > 1; i--) print $i; sub(":", "", $1); print $1 }' "$modules/modules.dep"); do
    busybox insmod "$modules/$file" 2>/dev/null
  done
}
for module in overlay bridge veth loop tun; do load "$module"; done
mkdir -p /dev/net
[ -e /dev/net/tun ] || busybox mknod -m 666 /dev/net/tun c 10 200

mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
ip link set lo up
cd "$SLIPWAY_ROOT" || busybox poweroff -f
echo "Linux $(uname -r), cgroup v2: $(cat /sys/fs/cgroup/cgroup.controllers)"

status=0
for test in $(echo "$SLIPWAY_TESTS" | tr , ' '); do node "$test" </dev/null || status=1; done
echo "STATUS $status"
busybox poweroff -f
