#pragma once
#include <stddef.h>
#include <stdint.h>
#include "err.h"

/*
 * Networking beside one container: netlink messages that TypeScript encoded, sockets in another network namespace.
 * What the messages say (links, addresses, routes, nftables) is decided and encoded in engine/networks.
 */

/* A place in a batch that only this side can fill in. On the wire: u32le kind, u32le offset, 16 bytes name. */
enum net_patch_kind {
	NET_PATCH_IFINDEX = 1, /* u32: index of the link `name`, in the socket's namespace */
	NET_PATCH_NETNS = 2,   /* u32: descriptor of the container's network namespace */
};

struct net_batch {
	uint8_t *bytes; /* netlink messages, each padded to 4; patched in place */
	size_t length;
	const uint8_t *patches; /* of 24 bytes each */
	size_t patches_length;
	uint64_t tolerate; /* an errno that is no failure (EEXIST, ENOENT), or 0 */
};

/* Opens a netlink socket of `protocol` (NETLINK_ROUTE 0, NETLINK_NETFILTER 12) in the present namespace. */
int net_socket(int protocol, struct err *err);

/* The same in the network namespace `netns`; the caller is single-threaded and is in its own again afterwards. */
int net_socket_in(int netns, int protocol, struct err *err);

/*
 * Sends a batch. The kernel works it off before sendto(2) returns, so its answers are already there to read.
 *
 * netns   what NET_PATCH_NETNS stands for, or -1
 * Returns 0, or -1 with *err set to the first message's errno and the kernel's own text if it gave one.
 */
int net_send(int socket, struct net_batch *batch, int netns, struct err *err);

/* Opens a socket (as socket(2)) in the network namespace `netns`, which may be -1 for the present one. */
int net_open_in(int netns, int domain, int type, int protocol, struct err *err);
