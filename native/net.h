#pragma once
#include "err.h"
#include "loop.h"
#include "ops.h"

/*
 * Netlink messages that TypeScript encoded, sent in the engine's or a container's network
 * namespace. What they say (links, addresses, routes, nftables) is decided in engine/networks.
 */

/* Operation codes of this area. */
enum {
	OP_NETLINK_HOST = 200,      /* protocol | messages | patches | tolerated errno */
	OP_NETLINK_CONTAINER = 201, /* the same */
	OP_DNS = 202,               /* path of the names | port */
	OP_FORWARD = 203,           /* rules of ports_start() */
	OP_NET_SETTING = 204,       /* path below /proc/sys/net | value */
};

/*
 * A place in the messages that only this side can fill in: u32le kind, u32le offset, 16 bytes of
 * name.
 */
enum {
	NET_PATCH_INDEX = 1, /* u32: index of the link `name` in the present namespace */
	NET_PATCH_NETNS = 2, /* u32: descriptor of the container's network namespace */
};

/*
 * Sends the messages of an OP_NETLINK_* in the present network namespace.
 *
 * netns   the container's, for NET_PATCH_NETNS; -1: there is none
 * Returns 0, or -1 with *err set to the first message's errno, with the kernel's own words if it
 * gave any.
 */
int net_send(const struct op *op, int netns, struct err *err);

/* Brings up `lo` in the present network namespace. Returns 0, or -1 with *err set. */
int net_loopback_up(struct err *err);

/*
 * Does operations of the network for a container that runs, in its monitor: what they start (the
 * resolver) lives in `loop`. `child` is the container's first process. Returns 0, or -1 with *err
 * set; what was done before stays done.
 */
int net_change(struct loop *loop, pid_t child, const struct request *request, struct err *err);
