#pragma once
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "ops.h"

/*
 * Netlink messages that TypeScript encoded, sent in the engine's or a container's network namespace. What they say
 * (links, addresses, routes, nftables) is decided in engine/networks.
 */

/* Operation codes of this area. */
enum {
	OP_NETLINK = 200, /* where | protocol | messages | patches | tolerated errno */
	OP_DNS = 201,     /* path of the names | port */
	OP_FORWARD = 202, /* rules of ports_start() */
	OP_NETNS = 203,   /* pid of a process in the container; for job 16 alone */
};

/* A place in the messages that only this side can fill in: u32le kind, u32le offset, 16 bytes of name. */
enum {
	NET_PATCH_INDEX = 1, /* u32: index of the link `name` in the socket's namespace */
	NET_PATCH_NETNS = 2, /* u32: descriptor of the container's network namespace */
};

/* Sockets of both sides, -1 until they are needed; [0] NETLINK_ROUTE, [1] NETLINK_NETFILTER. */
struct net {
	int host[2];
	int container[2];
	int netns; /* of the container; -1: the caller is in it */
};
#define NET_CLOSED ((struct net){{-1, -1}, {-1, -1}, -1})

/* Opens the host's sockets. A child of another network namespace can go on using them. */
int net_open_host(struct net *net, struct err *err);

/*
 * Does an OP_NETLINK. The kernel works messages off before sendto(2) returns, so its answers are already there to read
 * and no acknowledgement is asked for: only errors are answered.
 *
 * net     a socket that is missing is opened: the host's in the present namespace, the container's in net->netns
 * Returns 0, or -1 with *err set to the first message's errno, with the kernel's own words if it gave any.
 */
int net_netlink(struct net *net, const struct op *op, struct err *err);

/* socket(2) in the network namespace `netns`; the caller has one thread, and is in its own namespace afterwards. */
int net_socket_in(int netns, int domain, int type, int protocol, struct err *err);

/* Closes the sockets and net->netns. */
void net_close(struct net *net);
