#pragma once
#include "err.h"
#include "loop.h"

/*
 * Forwards published ports from the engine's network namespace: loopback, and everything where nftables does not.
 */
struct ports;

/*
 * Listens on every rule of `rules`: lines of `tcp|udp HOSTADDRESS HOSTPORT ADDRESS PORT`, IPv6 addresses bare.
 * Returns NULL with *err set (EADDRINUSE: err->text names address and port); nothing is left listening then.
 */
struct ports *ports_start(struct loop *loop, const char *rules, struct err *err);

/* Stops listening and drops connections. Call it when the container's init is gone. */
void ports_stop(struct ports *ports);
