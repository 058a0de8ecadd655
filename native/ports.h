#pragma once
#include "launch.h"

/*
 * Listens on published ports in the engine's network namespace and forwards what comes: from
 * loopback, and everything where nftables does not. It also is what holds the port against other
 * programs.
 *
 * rules   lines of `tcp|udp HOSTADDRESS HOSTPORT ADDRESS PORT`
 * Returns 0, or -1 with *err set (EADDRINUSE: the text names address and port). It ends with the
 * container's first process.
 */
int ports_start(struct launch *launch, const char *rules, struct err *err);
